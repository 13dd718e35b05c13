"""Pendulum, cart-pole and acrobot as environments."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.task import rewards_each
from ros_mbmrl.simulation.environment import Environment
from ros_mbmrl.simulation.mechanisms import MECHANISMS, make_mechanisms
from ros_mbmrl.simulation.situations import Situation


@pytest.mark.parametrize("name", MECHANISMS)
def test_a_row_depends_on_its_situation_seed_and_commands_alone(name: str) -> None:
    row, rng = MECHANISMS[name], np.random.default_rng(0)
    situations = [row.draw(rng) for _ in range(3)]
    together: Environment = make_mechanisms(name, situations, [3, 7, 5])
    alone = make_mechanisms(name, situations[1:2], [7])
    spec = together.robot.spec
    for actions in rng.uniform(spec.action_low, spec.action_high, (8, 3, 1)):
        several, single = together.step(actions), alone.step(actions[1:2])
        np.testing.assert_array_equal(several.observation[1], single.observation[0])
        assert several.reward[1] == single.reward[0]
    before = together.states()
    together.reset(np.array([True, False, True]), situations[:2], [3, 7])
    assert together.times.tolist() == pytest.approx([0.0, 8 * spec.period, 0.0])
    assert together.states()[1].tolist() == before[1].tolist()
    again = make_mechanisms(name, situations[:2], [3, 7])
    assert together.states()[[0, 2]].tolist() == again.states().tolist()
    assert together.goals.shape == (3, 0)


@pytest.mark.parametrize("name", MECHANISMS)
def test_an_episode_is_over_when_its_time_is_up(name: str) -> None:
    world = make_mechanisms(name, [Situation()], [0])
    ends = [world.step(np.zeros((1, 1))) for _ in range(MECHANISMS[name].horizon)]
    assert not any(each.terminated.any() for each in ends)
    assert [bool(each.truncated) for each in ends[-2:]] == [False, True]


@pytest.mark.parametrize("name", MECHANISMS)
def test_rewards_are_the_tasks(name: str) -> None:
    world = make_mechanisms(name, [Situation()] * 2, [0, 1])
    before, sent = world.states(), np.array([[0.3], [1.0]])
    tasks = world.tasks()
    told = world.step(sent)
    np.testing.assert_allclose(told.reward, rewards_each(tasks, before, sent, world.states()))
    assert (told.reward < 0).all()


def test_masses_change_the_motion_and_are_those_of_the_situation() -> None:
    light, heavy = Situation(masses=(1.0, 0.7)), Situation(masses=(2.0, 1.0))
    world = make_mechanisms("cart-pole", [light, heavy, Situation()], [0] * 3)
    start = world.states()
    assert (start == start[0]).all()
    world.step(np.full((3, 1), 5.0))
    speeds = world.states()[:, 2]
    assert speeds[0] > speeds[2] > speeds[1] > 0  # without masses: those in the middle
    assert MECHANISMS["cart-pole"].nominal == pytest.approx((1.5, 0.85))


def test_tasks_are_drawn_all_over_their_ranges() -> None:
    rng = np.random.default_rng(0)
    for name in ("cart-pole", "acrobot"):
        row = MECHANISMS[name]
        drawn = np.array([row.draw(rng).masses for _ in range(400)])
        low, high = np.array(row.masses).T
        assert (drawn >= low).all() and (drawn <= high).all()
        np.testing.assert_allclose(drawn.std(0), (high - low) / math.sqrt(12), rtol=0.1)
        assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.1
    assert MECHANISMS["pendulum"].draw(rng) == Situation()


def test_an_acrobot_above_the_line_rests_until_it_is_reset() -> None:
    world = make_mechanisms("acrobot", [Situation()] * 2, [0, 1])
    for _ in range(MECHANISMS["acrobot"].horizon):  # a torque along the speed adds energy
        told = world.step(np.sign(world.states()[:, 3:]))
        if told.terminated[0]:
            break
    assert told.terminated[0] and told.reward[0] == 0.0
    ended, when = world.states()[0], world.times[0]
    after = world.step(np.ones((2, 1)))
    assert after.terminated[0] and after.reward[0] == 0.0 and not after.truncated[0]
    assert world.states()[0].tolist() == ended.tolist() and world.times[0] == when
    world.reset(np.array([True, False]), [Situation()], [0])
    assert not world.step(np.zeros((2, 1))).terminated[0]


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="expected a seed each, got 1 and 2"):
        make_mechanisms("pendulum", [Situation()], [0, 1])
    with pytest.raises(ValueError, match="within the limits"):
        make_mechanisms("pendulum", [Situation()], [0]).step(np.array([[3.0]]))
    with pytest.raises(UserError, match="unknown mechanism 'crane'"):
        make_mechanisms("crane", [Situation()], [0])
    with pytest.raises(UserError, match="masses: robot 'acrobot': expected 2, got 1"):
        make_mechanisms("acrobot", [Situation(masses=(1.0,))], [0])
    with pytest.raises(ValueError, match="masses: expected numbers above 0"):
        Situation(masses=(1.0, 0.0))
