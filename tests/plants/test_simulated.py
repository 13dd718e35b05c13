from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.plants import check_plant, make_plant, usual_ground
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.plants.simulated import PUSHED, SimulatedPlant
from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation, Terrain, TimedFault

FLAT = PlantOptions(terrain="flat", seed=4)


def made(robot: str, options: PlantOptions) -> SimulatedPlant:
    plant = make_plant(make_robot(robot), "twin", options)
    assert isinstance(plant, SimulatedPlant)
    return plant


def test_it_is_the_same_robot_as_in_a_batch() -> None:
    plant = made("half_cheetah", FLAT)
    worlds = make_simulated("half_cheetah", [Situation()], [4])
    rng = np.random.default_rng(0)
    for _ in range(10):
        action = rng.uniform(-1, 1, 6)
        plant.command(action)
        plant.advance(0.05)
        worlds.step(action[None])
        np.testing.assert_array_equal(plant.observe().values, worlds.measurements()[0])
        assert plant.observe().time == pytest.approx(worlds.times[0])
    assert plant.simulated and plant.counters() == {}


def test_a_command_that_is_due_all_but_at_a_tick_acts_at_the_next() -> None:
    plant = SimulatedPlant(make_simulated("half_cheetah", [Situation()], [4]), latency=0.01 + 5e-9)
    plant.command(np.ones(6))
    plant.advance(0.05)
    worlds = make_simulated("half_cheetah", [Situation()], [4])
    worlds.advance(np.zeros((1, 6)), 2)
    worlds.advance(np.ones((1, 6)), 3)
    np.testing.assert_allclose(plant.observe().values, worlds.measurements()[0], atol=1e-9)


@pytest.mark.parametrize(
    ("robot", "options", "expected"),
    [
        ("half_cheetah", {"terrain": "steep"}, Situation(Terrain("steep"))),
        ("half_cheetah", {"terrain": "slope@-0.1"}, Situation(Terrain("slope", angle=-0.1))),
        ("half_cheetah", {"terrain": "pier@7"}, Situation(Terrain("pier", seed=7))),
        ("half_cheetah", {"terrain": "pier"}, Situation(Terrain("pier"))),
        (
            "half_cheetah",
            {"fault": "bfoot_disabled@5"},
            Situation(faults=(TimedFault("bfoot_disabled", 5.0),)),
        ),
        ("ant", {"fault": "leg_2_crippled@0"}, Situation(faults=(TimedFault("leg_2_crippled"),))),
        ("arm_7dof", {"fault": "push@2"}, Situation(force=PUSHED, force_begin=2.0)),
    ],
)
def test_words_become_situations(robot: str, options: dict[str, str], expected: Situation) -> None:
    plant = made(robot, PlantOptions(**{"terrain": "flat", **options}))
    assert plant.robots.situations == (expected,)


@pytest.mark.parametrize(
    ("robot", "options", "words"),
    [
        ("half_cheetah", {"terrain": "carpet"}, "unknown terrain 'carpet'"),
        ("half_cheetah", {"terrain": "slope"}, "slope@RADIANS"),
        ("half_cheetah", {"terrain": "slope@2"}, "slope@RADIANS"),
        ("half_cheetah", {"terrain": "hill@2"}, "a name alone"),
        ("half_cheetah", {"terrain": "pier@x"}, "pier@SEED"),
        ("half_cheetah", {"fault": "leg_1_crippled@2"}, "unknown fault"),
        ("half_cheetah", {"fault": "bfoot_disabled"}, "expected NAME@SECONDS"),
        ("half_cheetah", {"fault": "bfoot_disabled@-1"}, "expected NAME@SECONDS"),
        ("half_cheetah", {"fault": "push@1"}, "unknown fault 'push'"),
        ("ant", {"terrain": "hill"}, "unknown terrain 'hill'"),
        ("arm_7dof", {"viewer": True}, "viewer"),
    ],
)
def test_what_it_would_refuse_is_said_beforehand(
    robot: str, options: dict[str, str], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        check_plant(robot, "twin", PlantOptions(**{"terrain": "flat", **options}))


def test_commands_act_late_by_the_delay() -> None:
    late = made("half_cheetah", PlantOptions(terrain="flat", delay=0.02))
    prompt = made("half_cheetah", PlantOptions(terrain="flat"))
    action = np.full(6, 0.7)
    late.command(action)
    late.advance(0.05)
    prompt.advance(0.02)
    prompt.command(action)
    prompt.advance(0.03)
    np.testing.assert_array_equal(late.observe().values, prompt.observe().values)


def test_what_is_less_than_a_tick_is_owed() -> None:
    plant = made("ant", FLAT)
    for _ in range(10):
        plant.advance(0.0051)
    assert plant.observe().time == pytest.approx(0.05)


def test_after_a_stop_there_is_no_torque() -> None:
    with made("arm_7dof", FLAT) as plant:
        plant.command(np.full(7, 1.0))
        plant.advance(0.05)
    still = made("arm_7dof", FLAT)
    still.robots.set_states(plant.robots.states())
    plant.advance(0.05)
    still.advance(0.05)
    np.testing.assert_allclose(plant.observe().values, still.observe().values, atol=1e-12)


@pytest.mark.parametrize("action", [np.zeros(5), np.full(6, np.nan), np.full(6, 1.01)])
def test_wrong_commands_are_refused(action: np.ndarray) -> None:
    with pytest.raises(ValueError, match="action: expected"):
        made("half_cheetah", FLAT).command(action)


def test_where_no_ground_is_named() -> None:
    assert usual_ground("hexapod") == "carpet"
    assert {usual_ground(each) for each in ("half_cheetah", "ant", "arm_7dof")} == {"flat"}


def test_physics_that_break_down_end_the_run() -> None:
    plant = made("ant", FLAT)
    states = plant.robots.states()
    states[0, -1] = 1e12
    plant.robots.set_states(states)
    plant.advance(0.05)
    with pytest.raises(RunError, match="the twin's physics broke down before 0.1 s"):
        plant.observe()


@pytest.mark.parametrize(
    ("robot", "fault"), [("half_cheetah", "bfoot_disabled"), ("arm_7dof", "push")]
)
def test_a_fault_that_waits_sets_in_so_long_after_it_was_told(robot: str, fault: str) -> None:
    waits, at_once = made(robot, replace(FLAT, fault=f"{fault}@0.2")), made(robot, FLAT)
    period = waits.robots.robot.spec.period
    action = np.full(len(waits.robots.robot.spec.action), 0.5)
    rest, differs = round(0.6 / period), []
    waits.faults_from(math.inf)
    for step in range(3 * rest):
        if step == rest:
            waits.faults_from(waits.time)
        for plant in (waits, at_once):
            plant.command(action if step >= rest else 0 * action)
            plant.advance(period)
        differs.append(not np.array_equal(waits.observe().values, at_once.observe().values))
    assert differs.index(True) == rest + round(0.2 / period)
