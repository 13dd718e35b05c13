"""Plants, which can be observed and commanded: one file and one line here, or an entry point.

Entry points of `ros_mbmrl.plants` are named `<robot>.<plant>`, as the lines below. A robot of a
file has the plants of `described_plants`.
"""

from dataclasses import dataclass
from typing import Any

from ros_mbmrl.errors import choose
from ros_mbmrl.plants.base import Plant, PlantOptions
from ros_mbmrl.plants.described import described_plants
from ros_mbmrl.plugins import Registry, expected, imported
from ros_mbmrl.robots.spec import Robot


@dataclass(frozen=True)
class Known:
    """Place of a plant's code, imported on use: the name of a plant needs no package of it.

    Args:
        value: a module, or "module:object", with `make(robot, options) -> Plant` and
            `check(options)`, which raises UserError for what `make` would refuse.
        ground: a twin's, where nobody names one.
    """

    value: str
    ground: str = "carpet"


def _files() -> dict[str, Known]:
    return {name: Known(value, "flat") for name, value in described_plants().items()}


# By "robot.plant".
PLANTS: Registry[Known] = Registry(
    "plant",
    "plants",
    {
        "ant.twin": Known("ros_mbmrl.plants.simulated:ANT", "flat"),
        "arm_7dof.twin": Known("ros_mbmrl.plants.simulated:ARM_7DOF", "flat"),
        "half_cheetah.twin": Known("ros_mbmrl.plants.simulated:HALF_CHEETAH", "flat"),
        "hexapod.twin": Known("ros_mbmrl.plants.hexapod_twin"),
        "hexapod.serial": Known("ros_mbmrl.plants.hexapod_radio"),
        "hopper.twin": Known("ros_mbmrl.plants.simulated:HOPPER", "flat"),
        "humanoid.twin": Known("ros_mbmrl.plants.simulated:HUMANOID", "flat"),
        "pr2_arm.twin": Known("ros_mbmrl.plants.pr2_twin"),
        "pr2_arm.rosbridge": Known("ros_mbmrl.plants.pr2_rosbridge"),
        "pr2_insertion.twin": Known("ros_mbmrl.plants.simulated:PR2_INSERTION", "flat"),
        "pr2_reach.twin": Known("ros_mbmrl.plants.simulated:PR2_REACH", "flat"),
        "pr2_stacking.twin": Known("ros_mbmrl.plants.simulated:PR2_STACKING", "flat"),
        "snake.twin": Known("ros_mbmrl.plants.simulated:SNAKE", "flat"),
        "swimmer.twin": Known("ros_mbmrl.plants.simulated:SWIMMER", "flat"),
        "walker2d.twin": Known("ros_mbmrl.plants.simulated:WALKER2D", "flat"),
    },
    lambda entry: Known(entry.value),
    _files,
)


def plants_of(robot: str) -> tuple[str, ...]:
    """Return the names of the plants of the robot called `robot`."""
    return tuple(plant for of, _, plant in (n.partition(".") for n in PLANTS) if of == robot)


def usual_ground(robot: str) -> str:
    """Return the ground of a robot's twin where nobody names one."""
    name = f"{robot}.twin"
    return PLANTS[name].ground if name in PLANTS else Known.ground


def check_plant(robot: str, plant: str, options: PlantOptions) -> None:
    """Raise UserError, before anything is started, for what `make_plant` would refuse."""
    _module(robot, plant).check(options)


def make_plant(robot: Robot, plant: str, options: PlantOptions) -> Plant:
    """Return the plant called `plant` of a robot. Raises UserError."""
    made: Plant = _module(robot.spec.name, plant).make(robot, options)
    return made


def _module(robot: str, plant: str) -> Any:
    choose("plant", plant, plants_of(robot))
    value = PLANTS[f"{robot}.{plant}"].value
    found = imported(value)
    fits = all(callable(getattr(found, name, None)) for name in ("make", "check"))
    expected(value, "a plant with make() and check()", fits, found)
    return found
