"""What can be observed and commanded: one file a plant, one line here, or an entry point.

Entry points of `ros_mbmrl.plants` are named `<robot>.<plant>`, as the lines below.
"""

from typing import Any

from ros_mbmrl.errors import choose
from ros_mbmrl.plants.base import Plant, PlantOptions
from ros_mbmrl.plugins import entries, imported
from ros_mbmrl.robots.spec import Robot

# "robot.plant" -> module, or "module:object", with `make(robot, options) -> Plant` and
# `check(options)`, which raises UserError for what `make` would refuse. Imported on use: naming a
# plant needs no package of it.
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
    """Names of the plants that the robot called `robot` has."""
    return tuple(plant for of, _, plant in (n.partition(".") for n in PLANTS) if of == robot)


def usual_ground(robot: str) -> str:
    """The ground of a robot's twin where nobody names one."""
    simulated = PLANTS.get(f"{robot}.twin", "").startswith("ros_mbmrl.plants.simulated")
    return "flat" if simulated else "carpet"


def check_plant(robot: str, plant: str, options: PlantOptions) -> None:
    """Says before anything is started what `make_plant` would refuse. Raises UserError."""
    _module(robot, plant).check(options)


def make_plant(robot: Robot, plant: str, options: PlantOptions) -> Plant:
    """The plant called `plant` of a robot. Raises UserError."""
    made: Plant = _module(robot.spec.name, plant).make(robot, options)
    return made


def _module(robot: str, plant: str) -> Any:
    choose("plant", plant, plants_of(robot))
    return imported(PLANTS[f"{robot}.{plant}"])
