"""Robots by name: one file and one line here, an entry point of `ros_mbmrl.robots`, or a YAML file.

A file is named by its path (`my_robot.yaml`), and from then on known by the name in it.
"""

from pathlib import Path

from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.plugins import Registry, expected, imported
from ros_mbmrl.robots.described.known import adopt, described, is_file, name_in
from ros_mbmrl.robots.spec import Robot


def _files() -> dict[str, str]:
    return {name: str(each.file) for name, each in described().items()}


# name -> "module:class", or the path of a file. Modules are imported on use, so that naming a robot
# costs nothing.
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
        "pr2_insertion": "ros_mbmrl.robots.pr2_tasks:PR2Insertion",
        "pr2_reach": "ros_mbmrl.robots.pr2_tasks:PR2Reach",
        "pr2_stacking": "ros_mbmrl.robots.pr2_tasks:PR2Stacking",
        "snake": "ros_mbmrl.robots.runner:Snake",
        "swimmer": "ros_mbmrl.robots.runner:Swimmer",
        "walker2d": "ros_mbmrl.robots.runner:Walker2d",
    },
    lambda entry: entry.value,
    _files,
)


def robot_name(text: str) -> str:
    """Return the name of a robot that is given by its name or by its file, which is known then.

    Raises:
        UserError: there is none of this name, the file is wrong, or its name is another robot's.
    """
    if not is_file(text):
        choose("robot", text, ROBOTS)
        return text
    name = name_in(Path(text))
    if ROBOTS.is_code(name):
        raise UserError(f"{text}: name: '{name}' is a robot of Python code: expected another name")
    return adopt(Path(text))


def make_robot(name: str) -> Robot:
    """Return the robot called `name`, or that of a file.

    Raises:
        UserError: there is none, its entry point is not as expected, or its file is wrong.
    """
    value = ROBOTS[robot_name(name)]
    if is_file(value):
        from ros_mbmrl.robots.described.robot import described_robot

        return described_robot(described()[robot_name(name)])
    made = imported(value)
    expected(value, "a class of robots", isinstance(made, type) and issubclass(made, Robot), made)
    robot: Robot = made()
    return robot
