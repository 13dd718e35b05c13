"""`mbmrl new`: its words as arguments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ros_mbmrl.arguments.new import New


def test_words_are_arguments(parsed: Callable[..., New]) -> None:
    assert parsed("new", "robot", "mine") == New("robot", "mine")
    words = ("--kind", "arm", "joints:=a,b", "--takes", "velocity", "--largest", "1", "2")
    arm = New("robot", "mine", kind="arm", joints=("a", "b"), takes="velocity", largest=(1.0, 2.0))
    assert parsed("new", "robot", "mine", *words) == arm
    urdf = parsed("new", "robot", "mine", "--from-urdf", "arm.urdf", "--period", "0.05")
    assert urdf == New("robot", "mine", from_urdf=Path("arm.urdf"), period=0.05)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--period", "0"), "period: expected above 0, got 0"),
        (("--largest", "1", "0"), "largest: expected above 0, got 0"),
    ],
)
def test_a_wrong_number_is_one_line(
    refused: Callable[..., str], option: tuple[str, ...], message: str
) -> None:
    assert refused("new", "robot", "mine", *option) == f"mbmrl new: {message}\n"


def test_a_kind_that_is_none_is_refused(refused: Callable[..., str]) -> None:
    assert "planar_base" in refused("new", "robot", "mine", "--kind", "boat")
