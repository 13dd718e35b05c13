"""What is said of bad input is one line, whatever is in it."""

from __future__ import annotations

import pickle
from dataclasses import dataclass

import pytest

from ros_mbmrl.errors import UserError, changed


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\x1b[2Jb", "a\x00b", "a\u2028b", "a\x85b"])
def test_one_line_that_commands_no_terminal(text: str) -> None:
    said = str(UserError(f"robot '{text}'"))
    assert said.isprintable() and said.startswith("robot 'a") and said.endswith("b'")


def test_it_travels_between_processes() -> None:
    assert str(pickle.loads(pickle.dumps(UserError("x: expected y")))) == "x: expected y"


def test_settings_are_changed_by_what_is_given_and_refuse_in_one_line() -> None:
    @dataclass(frozen=True)
    class Sized:
        count: int = 2
        seed: int = 0

        def __post_init__(self) -> None:
            if self.count < 1:
                raise ValueError(f"count: expected at least 1, got {self.count}")

    assert changed(Sized(), count=None, seed=3) == Sized(2, 3)
    with pytest.raises(UserError, match="^count: expected at least 1, got 0$"):
        changed(Sized(), count=0)
