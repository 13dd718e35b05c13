"""The parts that a fault breaks, of every robot that is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.simulation.parts import LOST, WRONG, broken_geoms, colour_broken
from ros_mbmrl.simulation.posture import make_posture
from ros_mbmrl.simulation.situations import POSSIBLE


@pytest.mark.parametrize(
    ("robot", "fault", "bodies"),
    [
        ("hexapod", "leg_left_middle", {"leg_left_middle"}),
        ("hexapod", "payload", set()),
        ("hexapod", "", set()),
        ("half_cheetah", "bfoot_disabled", {"bfoot"}),
        ("pr2_arm", "weak_elbow", {"l_elbow_flex_link"}),
        ("pr2_arm", "push", set()),
    ],
)
def test_a_fault_names_its_parts(robot: str, fault: str, bodies: set[str]) -> None:
    model = make_posture(robot).model
    found = broken_geoms(model, fault)
    assert {model.body(int(model.geom_bodyid[geom])).name for geom in found} == bodies


@pytest.mark.parametrize("robot", sorted(POSSIBLE))
def test_every_motor_and_leg_that_fails_is_seen(robot: str) -> None:
    model = make_posture(robot).model
    for fault in POSSIBLE[robot].faults:
        assert broken_geoms(model, fault), fault


def test_what_is_lost_can_be_seen_through_and_what_fails_cannot() -> None:
    hexapod, ant = make_posture("hexapod").model, make_posture("ant").model
    lost = colour_broken(hexapod, "leg_right_back")
    assert len(lost) == 3
    np.testing.assert_allclose(hexapod.geom_rgba[lost], [LOST] * 3)
    assert colour_broken(ant, "leg_2_crippled") == []
    failed = broken_geoms(ant, "leg_2_crippled")
    np.testing.assert_allclose(ant.geom_rgba[failed], [WRONG] * len(failed), atol=1e-6)
