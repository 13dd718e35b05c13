"""What is said of bad input is one line, whatever is in it."""

from __future__ import annotations

import pickle

import pytest

from ros_mbmrl.errors import UserError


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\x1b[2Jb", "a\x00b", "a\u2028b", "a\x85b"])
def test_one_line_that_commands_no_terminal(text: str) -> None:
    said = str(UserError(f"robot '{text}'"))
    assert said.isprintable() and said.startswith("robot 'a") and said.endswith("b'")


def test_it_travels_between_processes() -> None:
    assert str(pickle.loads(pickle.dumps(UserError("x: expected y")))) == "x: expected y"
