"""The table of bodies agrees with the robots that were written by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.bodies import BODIES, spec_of

WRITTEN = ("half_cheetah", "ant")


@pytest.mark.parametrize("name", WRITTEN)
def test_a_row_makes_the_specification_that_was_written_by_hand(name: str) -> None:
    made, written = spec_of(BODIES[name]), make_robot(name).spec
    for part in ("name", "period", "measurement", "channels", "state", "features", "changes"):
        assert getattr(made, part) == getattr(written, part), part
    limits = [(each.name, each.low, each.high) for each in made.action]
    assert limits == [(each.name, each.low, each.high) for each in written.action]


def test_a_row_has_the_periods_of_gymnasium() -> None:
    periods = {name: body.period for name, body in BODIES.items()}
    assert periods == {
        "swimmer": 0.04,
        "snake": 0.04,
        "hopper": 0.008,
        "walker2d": 0.008,
        "half_cheetah": 0.05,
        "ant": 0.05,
        "humanoid": 0.015,
    }


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"trunk": ("x",)}, "expected a trunk SIDE, TOP or FREE"),
        ({"motors": ("tail",)}, "expected motors of joints"),
        ({"torque": 2.0}, "torque from 0 to 1"),
    ],
)
def test_wrong_rows_fail_at_once(change: dict[str, object], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        replace(BODIES["hopper"], **change)  # type: ignore[arg-type]
