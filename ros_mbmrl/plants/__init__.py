"""Plants, which can be observed and commanded: one file and one line here, or an entry point.

Entry points of `ros_mbmrl.plants` are named `<robot>.<plant>`, as the lines below.
"""

from typing import Any

from ros_mbmrl.errors import choose
from ros_mbmrl.plants.base import Plant, PlantOptions
from ros_mbmrl.plugins import entries, imported
from ros_mbmrl.robots.spec import Robot

# "robot.plant" -> module, or "module:object", with `make(robot, options) -> Plant` and
# `check(options)`, which raises UserError for what `make` would refuse. A module is imported on
# use: the name of a plant needs no package of it.
PLANTS: dict[str, str] = {
    **entries("plants"),
    "ant.twin": "ros_mbmrl.plants.simulated:ANT",
    "arm_7dof.twin": "ros_mbmrl.plants.simulated:ARM_7DOF",
    "half_cheetah.twin": "ros_mbmrl.plants.simulated:HALF_CHEETAH",
    "hexapod.twin": "ros_mbmrl.plants.hexapod_twin",
    "hexapod.serial": "ros_mbmrl.plants.hexapod_radio",
    "pr2_arm.twin": "ros_mbmrl.plants.pr2_twin",
    "pr2_arm.rosbridge": "ros_mbmrl.plants.pr2_rosbridge",
}


def plants_of(robot: str) -> tuple[str, ...]:
    """Return the names of the plants of the robot called `robot`."""
    return tuple(plant for of, _, plant in (n.partition(".") for n in PLANTS) if of == robot)


def usual_ground(robot: str) -> str:
    """Return the default ground of a robot's twin."""
    simulated = PLANTS.get(f"{robot}.twin", "").startswith("ros_mbmrl.plants.simulated")
    return "flat" if simulated else "carpet"


def check_plant(robot: str, plant: str, options: PlantOptions) -> None:
    """Raise UserError, before anything is started, for what `make_plant` would refuse."""
    _module(robot, plant).check(options)


def make_plant(robot: Robot, plant: str, options: PlantOptions) -> Plant:
    """Return the plant called `plant` of a robot. Raises UserError."""
    made: Plant = _module(robot.spec.name, plant).make(robot, options)
    return made


def _module(robot: str, plant: str) -> Any:
    choose("plant", plant, plants_of(robot))
    return imported(PLANTS[f"{robot}.{plant}"])
