"""Faults that set in at their second, and faults switched by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.simulation.faults import Fault
from ros_mbmrl.simulation.pr2_faults import ArmFault
from ros_mbmrl.simulation.schedule import present_at

PLAN = Fault("none"), Fault("payload", 2.0), Fault("slope", 3.0)


def test_a_fault_is_present_from_its_second_on() -> None:
    present = [present_at(now, PLAN, {}) for now in (0.0, 2.0, 3.0)]
    assert present == [frozenset(), {"payload"}, {"payload", "slope"}]


def test_a_hand_outweighs_the_plan() -> None:
    by_hand = {"payload": False, "yaw_offset": True, "none": True}
    assert present_at(5.0, PLAN, by_hand) == {"slope", "yaw_offset"}


@pytest.mark.parametrize("parse", [Fault.parse, ArmFault.parse])
def test_each_robot_has_faults_of_its_own(parse: Callable[[str], Fault | ArmFault]) -> None:
    assert parse("payload@3.5").seconds == 3.5 and parse("none").seconds == 0.0
    other = "push" if parse == Fault.parse else "slope"
    with pytest.raises(UserError, match=f"unknown fault '{other}'"):
        parse(f"{other}@1")
