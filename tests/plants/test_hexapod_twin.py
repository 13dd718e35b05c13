"""The hexapod's twin from launch arguments."""

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants import check_plant
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.plants.hexapod_twin import make
from ros_mbmrl.plants.twin import TwinPlant
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.paths import make_path

ROBOT = make_robot("hexapod")


def made(**options: object) -> TwinPlant:
    plant = make(ROBOT, PlantOptions(**options))  # type: ignore[arg-type]
    assert isinstance(plant, TwinPlant)
    return plant


def test_it_stands_at_the_start_of_its_path_or_at_the_origin() -> None:
    assert made().clean_pose() == pytest.approx((0.0, 0.0, 0.0), abs=1e-6)
    start = make_path("figure8").start
    assert made(path="figure8").clean_pose() == pytest.approx(start, abs=1e-6)


def test_its_fault_begins_when_it_is_told() -> None:
    plant = made(terrain="plain", fault="leg_left_middle@0.25")
    plant.advance(0.2)
    assert plant.world.active_faults == set()
    plant.advance(0.1)
    assert plant.world.active_faults == {"leg_left_middle"}


def test_commands_act_late_by_the_delay() -> None:
    plant = made(terrain="plain", noise=0.0, delay=0.1)
    plant.command(np.array([30.0, 30.0]))
    plant.advance(0.09)
    assert np.abs(plant.world.leg_speeds()).max() < 1e-6
    plant.advance(0.1)
    assert plant.world.leg_speeds().min() > 10.0


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (PlantOptions(terrain="ice"), "unknown terrain 'ice'"),
        (PlantOptions(fault="leg_left_middle"), "fault"),
    ],
)
def test_what_it_would_refuse_is_said_beforehand(options: PlantOptions, error: str) -> None:
    with pytest.raises(UserError, match=error):
        check_plant("hexapod", "twin", options)
