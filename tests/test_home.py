"""`~` in paths that no shell has expanded: options, launch arguments, parameters of nodes."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from ros_mbmrl import bringup, cli
from ros_mbmrl.errors import UserError
from ros_mbmrl.home import expand_home
from ros_mbmrl.launch_arguments import ARGUMENTS, parse

# In the order of the command line: what is not an option.
POSITIONAL = {
    "launch": ["adapt"],
    "collect": ["hexapod"],
    "import": ["velociroach", "~/file", "~/out"],
    "calibrate": ["hexapod"],
    "train": ["mb", "hexapod"],
    "score": ["~/models"],
    "evaluate": ["hexapod-terrains"],
    "bounds": ["~/run"],
    "emulate": ["velociroach"],
    "tune": ["~/model"],
    "data": ["ls", "~/paths"],
    "replay": ["~/recording"],
    "param": ["list", "/n"],
    "view": ["~/recording"],
    "bench": ["plan"],
    "check": ["robot", "~/file"],
    "new": ["robot", "mine"],
}
PATHS = {"recording", "params", "model", "report", "tty", "port", "learning"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_path_of_every_command(
    command: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cls = cli.COMMANDS[command]
    hints = get_type_hints(cls)
    words = [command, *POSITIONAL.get(command, [])]
    paths = [f.name for f in fields(cls) if Path in (hints[f.name], *get_args(hints[f.name]))]
    given = [name for name in paths if f"~/{name}" not in words]
    words += [w for name in given for w in (f"--{name.replace('_', '-')}", f"~/{name}")]
    seen: list[Any] = []
    monkeypatch.setattr(cli, "run", lambda parsed: seen.append(parsed) or {})
    cli.main(words)
    for name in paths:
        value = getattr(seen[0], name)
        for each in value if isinstance(value, tuple) else (value,):
            assert each == home / name


def test_every_path_of_a_launch(home: Path) -> None:
    known = {each.name: each for graph in ARGUMENTS.values() for each in graph}
    assert {name for name, each in known.items() if each.path} == PATHS
    for graph, arguments in ARGUMENTS.items():
        names = [each.name for each in arguments if each.path]
        for name in names:
            words = ["plant:=serial"] if name == "port" else []
            assert parse(graph, [*words, f"{name}:=~/{name}"])[name] == str(home / name)
    words = ["robot:=pr2_arm", "plant:=rosbridge", "port:=ws://robot:9090"]
    assert parse("twin", words)["port"] == "ws://robot:9090"


def test_the_recording_goes_home(home: Path) -> None:
    nodes = {n.name: n for n in bringup.graph("twin", ["recording:=~/bags/x.mcap"])}
    assert nodes["recorder"].parameters["path"] == str(home / "bags/x.mcap")


def test_a_user_that_is_not_known_is_no_folder(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="^out: no home folder for '~nobody-here/x'"):
        expand_home("~nobody-here/x", "out")
    with pytest.raises(SystemExit) as caught:
        cli.main(["collect", "hexapod", "--duration", "1", "--out", "~nobody-here/x"])
    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("path", ["", ".", "folder"])
def test_a_report_that_is_a_folder_is_refused_before_the_job(
    path: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "folder").mkdir()
    monkeypatch.setattr(cli, "run", lambda parsed: pytest.fail("the job was done"))
    with pytest.raises(SystemExit) as caught:
        cli.main(["doctor", "--json", path])
    assert caught.value.code == 2
    assert "expected a file, got a folder" in capsys.readouterr().err
