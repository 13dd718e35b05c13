"""Every number option of every command: what is no such number is refused before anything runs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, get_args, get_type_hints

import pytest

from ros_mbmrl import bringup, cli
from ros_mbmrl.arguments.ranges import Range, ranges_of
from ros_mbmrl.errors import UserError
from ros_mbmrl.launch_arguments import ARGUMENTS

WORDS = {
    "launch": ["adapt"],
    "collect": ["hexapod"],
    "import": ["velociroach", "f", "o"],
    "calibrate": ["hexapod", "--data", "d"],
    "train": ["mb", "hexapod", "--data", "d", "--out", "o"],
    "score": ["m", "--data", "d"],
    "evaluate": ["hexapod-terrains"],
    "emulate": ["velociroach"],
    "tune": ["m", "--out", "o"],
    "data": ["ls", "p"],
    "replay": ["r", "--model", "m"],
    "view": ["r"],
    "param": ["list", "/n"],
    "bounds": ["r"],
    "bench": ["plan"],
    "faults": [],
    "check": ["robot", "f.yaml"],
    "new": ["robot", "mine"],
    "doctor": [],
}
WRONG = ("-1", "nan", "inf", "-inf", "1e400", "", "9" * 30)
OTHER = ("0", "0.5", "1", "1e-400")


def options() -> Iterator[tuple[str, str, Range]]:
    for command, arguments in cli.COMMANDS.items():
        for name, known in ranges_of(arguments).items():
            yield command, name, known


def _numbers(hint: Any) -> bool:
    return hint in (int, float) or any(_numbers(part) for part in get_args(hint))


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_number_has_a_range(command: str) -> None:
    arguments = cli.COMMANDS[command]
    hints = get_type_hints(arguments)
    numbers = {each.name for each in fields(arguments) if _numbers(hints[each.name])}
    assert numbers == set(ranges_of(arguments))


@pytest.mark.parametrize(("command", "name", "known"), list(options()))
def test_what_is_outside_of_it_is_bad_input(
    command: str,
    name: str,
    known: Range,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ran: list[float] = []

    def run(self: Any) -> dict[str, Any]:
        value = getattr(self, name)
        ran.append(value[0] if isinstance(value, tuple) else value)
        return {}

    monkeypatch.setattr(cli, "run", run)
    for text in (*WRONG, *OTHER):
        ran.clear()
        status: object = 0
        try:
            cli.main([command, *WORDS[command], f"--{name.replace('_', '-')}={text}"])
        except SystemExit as error:
            status = error.code
        said = capsys.readouterr().err
        if status:
            assert status == 2 and not ran and "Traceback" not in said
            ours = said.startswith(f"mbmrl {command}: {name}: expected ") and said.count("\n") == 1
            assert ours or "Error parsing" in said or "invalid" in said, said
        else:
            assert text not in WRONG or (text == "-1" and known.least < 0)
            assert all(math.isfinite(value) and not known.expected(value) for value in ran)


NUMBERS = (
    *("noise", "delay", "duration", "seed", "startup_timeout", "threads", "episode_seconds"),
    *("view_port", "trajectories"),
)


def test_every_number_of_a_launch_is_walked() -> None:
    defaults = {each.name: each.default for known in ARGUMENTS.values() for each in known}
    assert {name for name, text in defaults.items() if text.isdigit()} == set(NUMBERS)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("text", WRONG)
def test_launch_arguments_alike(name: str, text: str) -> None:
    graph = "adapt" if name in ("threads", "trajectories") else "collect"
    words = ["source:=random"] if graph == "collect" else []
    words += ["view:=foxglove"] if name == "view_port" else []
    words += ["learning:=/"] if name == "trajectories" else []
    with pytest.raises(UserError, match=f"^{name}: expected") as caught:
        bringup.graph(graph, [*words, f"{name}:={text}"])
    assert "\n" not in str(caught.value)
