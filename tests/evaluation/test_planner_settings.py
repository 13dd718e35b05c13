"""The planners that are compared: valid, told apart, and their cost by hand."""

from __future__ import annotations

from ros_mbmrl.evaluation.planner_settings import REFERENCE, SETTINGS, Setting
from ros_mbmrl.planning import make_planner
from ros_mbmrl.robots import make_robot


def test_operations_by_hand() -> None:
    # 10 candidates, 3 steps, 2 iterations; 2 (4 5 + 5 6) a pass
    assert Setting("cem", 10, 3, iterations=2).operations((4, 5, 6)) == 10 * 3 * 2 * 100


def test_settings_are_valid_and_have_names_of_their_own() -> None:
    names = [setting.name for setting in SETTINGS]
    assert len(set(names)) == len(names)
    assert REFERENCE.name == "plain mppi 1000 x 10"
    for setting in SETTINGS:
        make_planner(setting.planner, make_robot("hexapod").spec, **setting.overrides)
