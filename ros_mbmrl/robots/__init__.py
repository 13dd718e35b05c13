"""Robots by name: one file and one line here, or an entry point of `ros_mbmrl.robots`, for each."""

from ros_mbmrl.errors import choose
from ros_mbmrl.plugins import Registry, expected, imported
from ros_mbmrl.robots.spec import Robot

# name -> "module:class". Modules are imported on use, so that naming a robot costs nothing.
ROBOTS: Registry[str] = Registry(
    "robot",
    "robots",
    {
        "ant": "ros_mbmrl.robots.ant:Ant",
        "arm_7dof": "ros_mbmrl.robots.arm_7dof:Arm7Dof",
        "half_cheetah": "ros_mbmrl.robots.half_cheetah:HalfCheetah",
        "hexapod": "ros_mbmrl.robots.hexapod:Hexapod",
        "hopper": "ros_mbmrl.robots.runner:Hopper",
        "humanoid": "ros_mbmrl.robots.runner:Humanoid",
        "pr2_arm": "ros_mbmrl.robots.pr2_arm:PR2Arm",
        "snake": "ros_mbmrl.robots.runner:Snake",
        "swimmer": "ros_mbmrl.robots.runner:Swimmer",
        "walker2d": "ros_mbmrl.robots.runner:Walker2d",
    },
    lambda entry: entry.value,
)


def make_robot(name: str) -> Robot:
    """Return the robot called `name`.

    Raises:
        UserError: there is none, or its entry point is not as expected.
    """
    choose("robot", name, ROBOTS)
    value = ROBOTS[name]
    made = imported(value)
    expected(value, "a class of robots", isinstance(made, type) and issubclass(made, Robot), made)
    robot: Robot = made()
    return robot
