"""Names of the hexapod's causes."""

from __future__ import annotations

import pytest

from ros_mbmrl.robots.hexapod_causes import CAUSES, LEGS, mirrored_name


def test_every_leg_is_a_cause_and_nothing_is_between_there_and_lost() -> None:
    legs = {cause.name: cause for cause in CAUSES if cause.name in LEGS}
    assert len(legs) == 6 and all(leg.discrete for leg in legs.values())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("leg_left_middle", "leg_right_middle"),
        ("right_back_emf", "left_back_emf"),
        ("sin_left_leg", "sin_right_leg"),
        ("payload", "payload"),
    ],
)
def test_a_mirror_exchanges_left_and_right(name: str, expected: str) -> None:
    assert mirrored_name(name) == expected
