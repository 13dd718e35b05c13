"""`mbmrl view`: its words as arguments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ros_mbmrl.arguments.view import View


def test_words_are_arguments(parsed: Callable[..., View]) -> None:
    assert parsed("view", "run.mcap") == View(Path("run.mcap"))
    other = parsed("view", "run.mcap", "port:=0", "--host", "::", "once:=true")
    assert other == View(Path("run.mcap"), host="::", port=0, once=True)


def test_by_default_only_this_machine_sees_it(parsed: Callable[..., View]) -> None:
    assert parsed("view", "run.mcap").host == "127.0.0.1"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("speed=0", "speed: expected above 0, got 0"),
        ("speed=2000", "speed: expected above 0, up to 1000, got 2000"),
        ("port=65536", "port: expected at least 0, up to 65535, got 65536"),
    ],
)
def test_a_wrong_number_is_one_line(refused: Callable[..., str], option: str, message: str) -> None:
    assert refused("view", "run.mcap", f"--{option}") == f"mbmrl view: {message}\n"
