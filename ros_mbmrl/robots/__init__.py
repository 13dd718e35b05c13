"""Robots by name: one file and one line here, or an entry point of `ros_mbmrl.robots`, for each."""

from ros_mbmrl.errors import choose
from ros_mbmrl.plugins import entries, imported
from ros_mbmrl.robots.spec import Robot

# name -> "module:class". A module is imported on use, so a name alone costs no import.
ROBOTS: dict[str, str] = {
    **entries("robots"),
    "ant": "ros_mbmrl.robots.ant:Ant",
    "arm_7dof": "ros_mbmrl.robots.arm_7dof:Arm7Dof",
    "half_cheetah": "ros_mbmrl.robots.half_cheetah:HalfCheetah",
    "hexapod": "ros_mbmrl.robots.hexapod:Hexapod",
    "pr2_arm": "ros_mbmrl.robots.pr2_arm:PR2Arm",
}


def make_robot(name: str) -> Robot:
    """Return the robot called `name`. Raises UserError for an unknown name."""
    choose("robot", name, ROBOTS)
    robot: Robot = imported(ROBOTS[name])()
    return robot
