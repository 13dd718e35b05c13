"""What a robot is; one file a robot, one line here, or an entry point of `ros_mbmrl.robots`."""

from ros_mbmrl.errors import choose
from ros_mbmrl.plugins import entries, imported
from ros_mbmrl.robots.spec import Robot

# name -> "module:class". Modules are imported on use, so that naming a robot costs nothing.
ROBOTS: dict[str, str] = {
    **entries("robots"),
    "ant": "ros_mbmrl.robots.ant:Ant",
    "arm_7dof": "ros_mbmrl.robots.arm_7dof:Arm7Dof",
    "half_cheetah": "ros_mbmrl.robots.half_cheetah:HalfCheetah",
    "hexapod": "ros_mbmrl.robots.hexapod:Hexapod",
    "pr2_arm": "ros_mbmrl.robots.pr2_arm:PR2Arm",
}


def make_robot(name: str) -> Robot:
    """The robot called `name`. Raises UserError for an unknown name."""
    choose("robot", name, ROBOTS)
    robot: Robot = imported(ROBOTS[name])()
    return robot
