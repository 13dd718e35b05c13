"""`mbmrl bounds`: its words as arguments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ros_mbmrl.arguments.bounds import Bounds


def test_words_are_arguments(parsed: Callable[..., Bounds]) -> None:
    assert parsed("bounds", "--figure", "4.png") == Bounds(figure=Path("4.png"))
    whole = parsed("bounds", "run", "data:=one,two", "--horizon", "3", "--discount", "0.9")
    assert whole == Bounds(Path("run"), (Path("one"), Path("two")), 3, 0.9)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("noise=1.5", "noise: expected 0 or more, up to 1, got 1.5"),
        ("discount=nan", "discount: expected a number, got nan"),
        ("seed=-1", "seed: expected at least 0, got -1"),
    ],
)
def test_a_wrong_number_is_one_line(refused: Callable[..., str], option: str, message: str) -> None:
    assert refused("bounds", "run", f"--{option}") == f"mbmrl bounds: {message}\n"
