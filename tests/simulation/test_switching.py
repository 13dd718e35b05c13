"""Tasks that change within an episode: when, what robots feel of it, and the task that tells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.running import BACKWARD, FORWARD, RunCourse
from ros_mbmrl.robots.task import rewards_each
from ros_mbmrl.simulation.benchmarks import BENCHMARKS, make_benchmark
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Change, Factors, Situation
from ros_mbmrl.simulation.switching import (
    ChangingDirection,
    changing_leg,
    changing_load,
)

SWITCHED = Situation(changes=(Change(0.1, BACKWARD), Change(0.2, FORWARD)))


def test_draws_differ_and_say_the_whole_episode() -> None:
    rng = np.random.default_rng(0)
    turns = [ChangingDirection(0.05, 900)(rng) for _ in range(30)]
    assert {each.course for each in turns} == {FORWARD, BACKWARD}
    assert all(2 <= len(each.changes) <= 3 for each in turns)
    ants = [changing_leg(0.05, 900)(rng) for _ in range(30)]
    assert len({fault.name for each in ants for fault in each.faults}) == 4
    for each in ants:  # one leg at any time
        ends = [fault.end for fault in each.faults]
        assert [fault.begin for fault in each.faults] == [0.0, *ends[:-1]]
        assert ends[-1] == np.inf
    walker = changing_load(0.008, 3750)(rng)
    loads = {each.physics for each in (walker, *walker.changes)}
    assert len(loads) == 1 + len(walker.changes)


def test_the_reward_changes_with_the_course_at_its_second() -> None:
    switched = make_benchmark("m3po-half-cheetah-fwd-bwd", [SWITCHED, Situation()], [0, 0])
    action = np.random.default_rng(0).uniform(-1, 1, (6, 6))
    rewards = []
    for each in action:
        rewards.append(switched.step(np.stack([each, each])).reward)
    effort = 0.05 * (action**2).sum(axis=1)
    one, other = (np.array(rewards) + effort[:, None]).T  # speeds along the courses
    signs = np.array([1, 1, -1, -1, 1, 1])  # periods of .05 s
    assert one == pytest.approx(signs * other)
    assert np.abs(other).min() > 1e-3


def test_the_task_tells_the_same_rewards_as_the_environment() -> None:
    robots = make_benchmark("m3po-half-cheetah-fwd-bwd", [SWITCHED, Situation()], [0, 1])
    tasks = robots.tasks()
    for each in np.random.default_rng(0).uniform(-1, 1, (6, 2, 6)):
        before = robots.states()
        reward = robots.step(each).reward
        assert rewards_each(tasks, before, each, robots.states()) == pytest.approx(reward, abs=1e-4)
    (later, same) = robots.tasks()  # from where the robots are now
    assert type(later) is type(same) is RunCourse


def test_physics_change_at_their_second_and_nothing_before() -> None:
    heavy = Situation(changes=(Change(0.04, physics=Factors(trunk=3.0, friction=0.3)),))
    robots = make_simulated("walker2d", [heavy, Situation(), Situation()], [2, 2, 2])
    commands = np.random.default_rng(0).uniform(-1, 1, (10, 6))
    apart = []
    for each in commands:
        robots.step(np.stack([each] * 3))
        states = robots.states()
        apart.append(np.abs(states[0] - states[1]).max())
    assert apart[:5] == [0.0] * 5  # periods of 8 ms
    assert apart[-1] > 1e-3
    model, _ = robots.physics(0)
    assert model.body("torso").mass == pytest.approx(3 * robots.physics(1)[0].body("torso").mass)


@pytest.mark.parametrize("name", [name for name in BENCHMARKS if name.startswith("m3po-")])
def test_every_row_runs_in_a_drawn_task(name: str) -> None:
    row = BENCHMARKS[name]
    rng = np.random.default_rng(0)
    robots = make_benchmark(name, [row.draw(rng), row.draw(rng)], [0, 1])
    for _ in range(3):
        moved = robots.step(np.zeros((2, len(robots.robot.spec.action))))
        assert np.isfinite(moved.reward).all()


def test_bad_changes() -> None:
    with pytest.raises(ValueError, match="one after the other"):
        Situation(changes=(Change(2.0, FORWARD), Change(1.0, BACKWARD)))
    with pytest.raises(ValueError, match="course or physics, got none"):
        Change(1.0)
    with pytest.raises(ValueError, match="second above 0"):
        Change(0.0, FORWARD)
    sideways = replace(BACKWARD, heading=1.0)
    with pytest.raises(UserError, match="expected 0 or pi"):
        make_simulated("half_cheetah", [Situation(changes=(Change(1.0, sideways),))], [0])
