import numpy as np
import pytest

from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.plants import make_plant, plants_of
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.plants.twin import TwinConfig, TwinPlant
from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.calibration import make_terrain
from ros_mbmrl.simulation.faults import Fault
from ros_mbmrl.simulation.world import HexapodWorld

ROBOT = make_robot("hexapod")
WALK = np.array([30.0, 30.0])


def run(plant: TwinPlant, steps: int) -> np.ndarray:
    rows = []
    for _ in range(steps):
        plant.command(WALK)
        plant.advance(0.1)
        rows.append(plant.observe().values)
    return np.array(rows)


def test_the_registry_names_it() -> None:
    assert isinstance(make_plant(ROBOT, "twin", PlantOptions()), TwinPlant)
    assert set(plants_of("hexapod")) == {"twin", "serial"}
    with pytest.raises(UserError, match="unknown plant 'tape': expected one of serial, twin"):
        make_plant(ROBOT, "tape", PlantOptions())


def test_the_seed_decides_the_measurements() -> None:
    config = TwinConfig("carpet", seed=4)
    first = run(TwinPlant(ROBOT, config), 10)
    again = TwinPlant(ROBOT, TwinConfig("carpet", seed=8))
    run(again, 3)
    again.reset(4)
    assert (run(again, 10) == first).all()
    assert not (run(TwinPlant(ROBOT, TwinConfig("carpet", seed=5)), 10) == first).any(axis=0).all()


def test_asked_twice_it_gives_the_same_measurement() -> None:
    plant = TwinPlant(ROBOT)
    assert plant.observe() is plant.observe()


def test_time_is_simulated_and_nothing_happens_between_advances() -> None:
    plant = TwinPlant(ROBOT, TwinConfig("plain"))
    for _ in range(3):
        plant.advance(0.1)
    assert plant.observe().time == pytest.approx(0.3)


def test_a_command_acts_until_the_next_one_and_stop_ends_it() -> None:
    with TwinPlant(ROBOT, TwinConfig("plain")) as plant:
        plant.command(WALK)
        plant.advance(1.0)
        speeds = plant.world.leg_speeds()
        assert (speeds > 15).all()
        assert plant.clean_pose()[0] > 0.08
    plant.advance(0.5)
    assert np.abs(plant.world.leg_speeds()).max() < 4.0


def test_the_way_out_by_an_error_stops_it_too() -> None:
    plant = TwinPlant(ROBOT, TwinConfig("plain"))
    with pytest.raises(RuntimeError), plant:
        plant.command(WALK)
        plant.advance(0.5)
        raise RuntimeError
    plant.advance(0.5)
    assert np.abs(plant.world.leg_speeds()).max() < 4.0


@pytest.mark.parametrize(
    "action", [[np.nan, 1.0], [np.inf, 1.0], [-5.0, 1.0], [1.0, 500.0], [1.0], [1.0, 1.0, 1.0]]
)
def test_commands_out_of_range_are_refused(action: list[float]) -> None:
    with pytest.raises(ValueError, match="action: expected"):
        TwinPlant(ROBOT).command(np.array(action))


def test_lost_packets_lose_commands_and_telemetry() -> None:
    rows = run(TwinPlant(ROBOT, TwinConfig("plain", (Fault("lost_packets"),), seed=2)), 30)
    repeats = (np.diff(rows[:, 7:], axis=0) == 0).all(axis=1).sum()
    assert 5 <= repeats <= 20


def test_a_sensor_fault_draws_no_other_random_numbers() -> None:
    healthy = run(TwinPlant(ROBOT, TwinConfig("plain", seed=1)), 8)
    blind = run(TwinPlant(ROBOT, TwinConfig("plain", (Fault("lost_mocap", 0.35),), seed=1)), 8)
    assert (healthy[:3] == blind[:3]).all()
    assert (healthy[:, 7:] == blind[:, 7:]).all()
    assert (blind[3:, :7] == blind[2, :7]).all()


def test_it_takes_a_world_that_stands_already() -> None:
    world = HexapodWorld(make_terrain("plain"), seed=4)
    plant = TwinPlant(ROBOT, world)
    assert plant.world is world
    assert (run(plant, 3) == run(TwinPlant(ROBOT, TwinConfig("plain", seed=4)), 3)).all()


def test_unknown_terrain() -> None:
    with pytest.raises(UserError, match="unknown terrain 'ice'"):
        TwinPlant(ROBOT, TwinConfig("ice"))


def test_it_starts_where_the_configuration_says() -> None:
    config = TwinConfig("plain", start=(1.0, -0.5, 2.0))
    plant = TwinPlant(ROBOT, config)
    assert plant.clean_pose() == pytest.approx((1.0, -0.5, 2.0), abs=1e-6)
    run(plant, 5)
    plant.reset(3)
    assert plant.clean_pose() == pytest.approx((1.0, -0.5, 2.0), abs=1e-6)


def test_physics_that_break_down_end_the_run_and_do_not_teleport() -> None:
    plant = TwinPlant(ROBOT, TwinConfig(faults=(Fault("broken_physics", 0.5),)))
    run(plant, 4)
    with pytest.raises(RunError, match="the twin's physics broke down before 0.6 s"):
        run(plant, 2)
    plant.stop()  # harmless
    plant.reset(1)
    run(plant, 4)
