"""`mbmrl`: exit status, one line for what a user can cause, and the report."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl import __version__, cli
from ros_mbmrl.arguments.launch import Launch
from ros_mbmrl.errors import RunError, UserError


def status_of(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        cli.main(list(arguments))
    code = caught.value.code
    return code if isinstance(code, int) else -1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "maml", "hexapod", "--data", "d", "--out", "o"), "unknown method 'maml'"),
        (("train", "mb", "spider", "--data", "d", "--out", "o"), "unknown robot 'spider'"),
        (("train", "mb", "hexapod", "--data", "none", "--out", "o"), "none: not a data set"),
        (("score", "none", "--data", "d"), "no model folder 'none'"),
        (("import", "fitbit", "f.npz", "o"), "unknown kind of log 'fitbit'"),
        (("launch", "party"), "party"),
        (("--tyro-print-completion", "tcsh"), "expected bash or zsh"),
        (("launch", "adapt", "--colour", "red"), "unknown argument 'colour'"),
        (("launch", "adapt", "planner.horizn:=5"), "unknown planner parameter 'horizn'"),
        (("collect", "hexapod", "colour:=red"), "unknown argument 'colour'"),
        (("train", "mb", "ant", "--out", "o", "--data", "d", "--recipe", "x"), "no file 'x'"),
        (("train", "mb", "ant", "--out", "o", "--data", "d", "--set", "rows=a"), "got 'a'"),
        (("train", "promp", "ant", "--out", "o", "--set", "tasks=a"), "tasks: expected an int"),
        (("score", "ant/grbl", "--data", "d"), "did you mean 'ant/grbal'?"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    arguments: tuple[str, ...],
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert status_of(*arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith(f"mbmrl {arguments[0]}: ")
    assert words in error


# One process for all: it ends with the heavy packages that it has imported.
REFUSED = """
import json, sys
from ros_mbmrl import cli
for words in json.loads(sys.argv[1]):
    try:
        cli.main(words)
    except SystemExit as error:
        assert error.code == 2, words
print(*sorted({"torch", "mujoco", "matplotlib", "scipy"} & set(sys.modules)))
"""


def test_bad_input_is_refused_before_torch_is_imported(tmp_path: Path) -> None:
    words = [
        ["train", "mb", "hexapod", "--data", "none", "--out", "o"],
        ["train", "mb", "hexapod", "--data", "none", "--out", "o", "--recipe", "none.yaml"],
        ["score", "none", "--data", "d"],
        ["evaluate", "none"],
        ["evaluate", "hexapod-ood", "--seeds", "0"],
        ["tune", "none", "--out", "o"],
        ["replay", "none", "--model", "m"],
        ["calibrate", "hexapod", "--data", "none"],
    ]
    done = subprocess.run(
        [sys.executable, "-c", REFUSED, json.dumps(words)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr
    assert done.stderr.count("\n") == len(words)  # one line each


@pytest.mark.parametrize("arguments", [("fly",), ("train",), ("score", "m", "--colour", "red")])
def test_arguments_that_do_not_parse_are_exit_2(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(*arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["", *cli.COMMANDS])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(*([command] if command else []), "--help") == 0
    assert "usage" in capsys.readouterr().out.lower()


def fake_doctor(monkeypatch: pytest.MonkeyPatch, outcome: Any) -> None:
    def run(arguments: Any) -> dict[str, Any]:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome  # type: ignore[no-any-return]

    monkeypatch.setattr(cli, "run", run)


@pytest.mark.parametrize(
    ("error", "status"),
    [(UserError("wrong"), 2), (RunError("failed"), 1), (KeyboardInterrupt(), 130)],
)
def test_exit_status(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
) -> None:
    fake_doctor(monkeypatch, error)
    assert status_of("doctor") == status
    assert capsys.readouterr().err == f"mbmrl doctor: {str(error) or 'interrupted'}\n"


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_doctor(monkeypatch, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        cli.main(["doctor"])


def test_json_holds_command_version_config_machine_and_results(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake_doctor(monkeypatch, {"answer": 42})
    path = tmp_path / "new" / "report.json"
    cli.main(["doctor", "--json", str(path)])
    report = json.loads(path.read_text())
    assert set(report) == {"command", "version", "config", "machine", "results"}
    assert report["command"] == "doctor"
    assert report["version"] == __version__
    assert report["config"] == {"json": str(path)}
    assert report["results"] == {"answer": 42}
    assert report["machine"]["cores"] >= 1
    assert [p.name for p in path.parent.iterdir()] == ["report.json"]


def test_a_report_that_cannot_be_written_is_exit_2(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_doctor(monkeypatch, {})
    (tmp_path / "file").write_text("")
    assert status_of("doctor", "--json", str(tmp_path / "file" / "report.json")) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_launch_arguments_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["launch", "adapt", "--show-args"])
    listed = capsys.readouterr().out
    for name in ("robot", "plant", "method", "controller", "path", "terrain", "fault", "report"):
        assert f"{name}:=" in listed


def test_the_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["--version"])
    assert capsys.readouterr().out == f"mbmrl {__version__}\n"


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_positional_arguments_have_names(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(command, "--help") == 0
    usage = capsys.readouterr().out.split("\n\n")[0]
    positional = re.sub(r"\[?--\S+( \S+)?", "", usage)
    assert "STR" not in positional and "None" not in usage


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_shells_can_complete(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--tyro-print-completion", shell])
    assert not caught.value.code
    script = capsys.readouterr().out
    assert all(word in script for word in ("train", "collect", "--recipe", "--tags"))


@pytest.mark.parametrize(
    "words",
    [
        ["launch", "collect", "--tags", "a", "b", "--source", "random", "--json", "r.json"],
        ["launch", "collect", "tags:=a,b", "source:=random", "--json", "r.json"],
    ],
)
def test_a_launch_takes_both_spellings(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(cli, "run", lambda parsed: seen.append(parsed) or {})
    monkeypatch.setattr(cli, "_write", lambda *_: None)
    cli.main(words)
    assert seen == [Launch("collect", ("tags:=a,b", "source:=random"), json=Path("r.json"))]


def test_a_command_takes_both_spellings(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(cli, "run", lambda parsed: seen.append(parsed) or {})
    cli.main(["collect", "hexapod", "--tags", "a", "b", "--noise", "0.5", "--viewer"])
    cli.main(["collect", "robot:=hexapod", "tags:=a,b", "noise:=0.5", "viewer:=true"])
    assert seen[0] == seen[1]
    assert seen[0].tags == ("a", "b")
