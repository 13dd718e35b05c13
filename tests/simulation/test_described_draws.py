"""Situations of robots of files to train on: each differs; half have a command that failed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ros_mbmrl.robots import robot_name
from ros_mbmrl.simulation.described_draws import BROKEN, VARIED, draw_described, draw_failing
from ros_mbmrl.simulation.situations import check_situation


def test_each_robot_differs_and_nothing_fails(planar_arm: str) -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_described(planar_arm, VARIED, rng) for _ in range(5)]
    assert len({each.parameters for each in drawn}) == 5
    assert not any(each.faults for each in drawn)


def test_commands_fail_and_never_as_in_the_files_own_faults(planar_arm: str) -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_described(planar_arm, BROKEN, rng) for _ in range(60)]
    names = {fault.name for each in drawn for fault in each.faults}
    assert names == {f"{c}_{w}" for c in ("shoulder", "elbow") for w in ("weak", "disabled")}
    for each in drawn:
        check_situation(planar_arm, each)


def test_what_fails_together_is_drawn_together(arm_file: Path) -> None:
    arm_file.write_text(f"{arm_file.read_text()}fail_together: {{both: [shoulder, elbow]}}\n")
    robot, rng = robot_name(str(arm_file)), np.random.default_rng(0)
    drawn = [draw_described(robot, BROKEN, rng).faults[0].name for _ in range(20)]
    assert set(drawn) == {"both_disabled", "both_weak"}


def test_settings_are_chosen_on_what_fails_half_way(planar_arm: str) -> None:
    drawn = draw_failing(planar_arm, np.random.default_rng(0), 6.0)
    assert [fault.begin for fault in drawn.faults] == [3.0]
