"""A task or a path, as the robot has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot, robot_name
from ros_mbmrl.robots.goals import goal_of


def test_the_first_unless_another_is_named(rover_twin: Path, planar_arm: str) -> None:
    arm, base = make_robot(planar_arm), make_robot(robot_name(str(rover_twin)))
    assert goal_of(arm) == goal_of(arm, task="bend") == "bend"
    assert goal_of(base) == "straight" and goal_of(base, path="left") == "left"


def test_what_the_robot_does_not_have_is_refused(rover_twin: Path, planar_arm: str) -> None:
    arm, base = make_robot(planar_arm), make_robot(robot_name(str(rover_twin)))
    with pytest.raises(UserError, match="path: planar_arm has none: expected a task"):
        goal_of(arm, path="left")
    with pytest.raises(UserError, match="task: rover_twin has none: expected a path"):
        goal_of(base, task="bend")
    with pytest.raises(UserError, match="path 'up'"):
        goal_of(base, path="up")


def test_a_robot_without_tasks_is_told(arm_file: Path) -> None:
    text = arm_file.read_text()
    begin, end = text.index("tasks:"), text.index("twin:")
    arm_file.write_text(text[:begin] + text[end:])
    with pytest.raises(UserError, match="planar_arm has no task"):
        goal_of(make_robot(robot_name(str(arm_file))))
