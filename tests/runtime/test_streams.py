"""Standard streams: closed ones, a reader that ends, ASCII: no traceback, and the job is done."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ros_mbmrl import cli

MBMRL = f"{sys.executable} -m ros_mbmrl.cli"
ASCII = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
ENDED = "exec 3> >(exec true); sleep 0.2;"  # 3 is a pipe that nobody reads from
# Every command, as cheap as it can be, with its exit status.
CHEAP = {
    "launch": (["adapt", "--show-args"], 0),
    "collect": (["hexapod", "--duration", "1", "--out", "rec é"], 0),
    "data": (["ls", "rec é"], 0),
    "import": (["velociroach", "none é.npz", "out"], 2),
    "calibrate": (["hexapod", "--data", "none é"], 2),
    "train": (["mb", "hexapod", "--data", "none é", "--out", "o"], 2),
    "score": (["none é", "--data", "d"], 2),
    "evaluate": (["none é"], 2),
    "bounds": (["none é"], 2),
    "emulate": (["velociroach", "--duration", "0.1"], 0),
    "tune": (["none é", "--out", "o"], 2),
    "replay": (["none é", "--model", "m"], 2),
    "param": (["set", "/é", "speed"], 2),
    "view": (["none é"], 2),
    "bench": (["adapt", "--quick", "--repeats", "1"], 0),
    "faults": (["--list"], 0),
    "check": (["robot", "none é.yaml"], 2),
    "new": (["robot", "mine", "--from-urdf", "none é"], 2),
    "doctor": ([], 0),
}
# The doctor's probes only begin and end here: what they find is for its own tests.
WALK = """
import json, sys
from ros_mbmrl import cli
from ros_mbmrl.commands import doctor
doctor.ROS_PROBE = doctor.RENDER_PROBE = doctor.TORCH_PROBE = "raise OSError('not tried')"
found = {}
for name, words in json.loads(sys.argv[1]).items():
    try:
        cli.main([name, *words])
        found[name] = 0
    except SystemExit as error:
        found[name] = error.code
    except BaseException as error:
        found[name] = repr(error)
json.dump(found, open("found.json", "w"))
"""


def _shell(line: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def test_every_command_is_walked() -> None:
    assert set(CHEAP) == set(cli.COMMANDS)


@pytest.mark.parametrize(
    ("before", "redirected", "variables"),
    [
        ("", "<&-", {}),
        ("", ">&-", {}),
        ("", "2>&-", {}),
        ("", "<&- >&- 2>&-", {}),
        (ENDED, ">&3", {}),
        (ENDED, "2>&3", {}),
        ("", ">/dev/full", {}),
        ("", "", ASCII),
    ],
)
def test_every_command_does_its_job_whatever_its_streams_are(
    before: str, redirected: str, variables: dict[str, str], tmp_path: Path
) -> None:
    words = {name: words for name, (words, _) in CHEAP.items()}
    told = shlex.quote(json.dumps(words, ensure_ascii=False))
    (tmp_path / "walk.py").write_text(WALK)
    done = _shell(f"{before} {sys.executable} walk.py {told} {redirected}", tmp_path, **variables)
    assert done.returncode == 0
    found = json.loads((tmp_path / "found.json").read_text())
    assert found == {name: status for name, (_, status) in CHEAP.items()}
    assert "Traceback" not in done.stdout + done.stderr
    (recording,) = (tmp_path / "rec é").glob("*.mcap")
    assert recording.read_bytes().endswith(b"\x89MCAP0\r\n")  # and nobody printed into it


@pytest.mark.parametrize(
    "line", ["{} launch adapt --show-args | head -n 1", "{} --help | head -n 1"]
)
def test_a_reader_that_has_enough(line: str, tmp_path: Path) -> None:
    done = _shell(f"set -o pipefail; {line.format(MBMRL)}", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1


def test_output_and_errors_go_where_they_are_sent(tmp_path: Path) -> None:
    done = _shell(
        f"{MBMRL} score none --data d > out 2> err; {MBMRL} faults --list > out", tmp_path
    )
    (line,) = (tmp_path / "err").read_text().splitlines()
    assert line.startswith("mbmrl score: no model folder 'none': expected a folder, or a shipped")
    assert "SIGKILL" in (tmp_path / "out").read_text()
    assert done.stdout == done.stderr == ""


def test_a_graph_whose_output_is_not_read_runs_on_and_is_reported(tmp_path: Path) -> None:
    pytest.importorskip("rclpy")
    words = "method:=mb lockstep:=true duration:=4 report:=R"
    done = _shell(
        f"set -o pipefail; {MBMRL} launch adapt {words} --json json | head -n 2",
        tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads((tmp_path / "R" / "report.json").read_text())
    assert "mb" in report["results"]["methods"]
    codes = json.loads((tmp_path / "json").read_text())["results"]["exit_codes"]
    assert set(codes.values()) == {0}
