"""Collection from many simulated robots at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ros_mbmrl.agents.chance import RandomAgent
from ros_mbmrl.episodes.batch import Episodes, run_episodes
from ros_mbmrl.learning.batch_collection import collect, rollouts_of, tags_of
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.safety.types import Level
from ros_mbmrl.simulation.simulated_robots import SimulatedRobots, make_simulated
from ros_mbmrl.simulation.situations import Situation, Terrain, TimedFault

SITUATIONS = (
    Situation(),
    Situation(faults=(TimedFault("bshin_disabled"), TimedFault("ffoot_disabled", 0.5))),
    Situation(Terrain("slope", angle=0.05)),
)
STEPS, SEEDS = 12, (4, 5, 6)


def worlds() -> SimulatedRobots:
    return make_simulated("half_cheetah", SITUATIONS, SEEDS)


def run() -> tuple[SimulatedRobots, Episodes]:
    made = worlds()
    return made, run_episodes(made, RandomAgent(STEPS), STEPS, SEEDS)


def test_a_rollout_each_of_what_was_sent_and_seen() -> None:
    _, episodes = run()
    rollouts = collect(worlds(), RandomAgent(STEPS), STEPS, SEEDS, "random-0")
    assert [len(r) for r in rollouts] == [STEPS] * 3
    for n, rollout in enumerate(rollouts):
        assert rollout.robot == "half_cheetah" and rollout.tags["session"] == f"random-0-{n}"
        np.testing.assert_allclose(rollout.states, episodes.states[:, n], rtol=1e-6)
        np.testing.assert_allclose(rollout.actions, episodes.actions[:, n], rtol=1e-6)
        np.testing.assert_allclose(np.diff(rollout.times), 0.05)
        assert not rollout.marks.any()


def test_random_commands_are_held_within_the_range_and_each_robots_own() -> None:
    _, episodes = run()
    assert (np.abs(episodes.actions) <= 1.0).all()
    same = (episodes.actions[1:] == episodes.actions[:-1]).all(axis=2)
    assert same.any() and not same.all()
    assert not np.array_equal(episodes.actions[:, 0], episodes.actions[:, 1])
    alone = make_simulated("half_cheetah", SITUATIONS[1:2], SEEDS[1:2])
    one = run_episodes(alone, RandomAgent(STEPS), STEPS, SEEDS[1:2])
    assert np.array_equal(one.actions[:, 0], episodes.actions[:, 1])
    assert np.array_equal(one.states[:, 0], episodes.states[:, 1])


def test_tags_are_the_situations() -> None:
    pushed = Situation(force=(0.0, 1.5, -0.25))
    assert tags_of(SITUATIONS[0]) == {"terrain": "flat", "fault": "none"}
    assert tags_of(SITUATIONS[1])["fault"] == "bshin_disabled+ffoot_disabled@0.5"
    assert tags_of(SITUATIONS[2])["terrain"] == "slope"
    assert tags_of(pushed)["force"] == "0 1.5 -0.25"


def spoilt(states: Array) -> Array:
    states = states.copy()
    states[7, 0] = np.nan  # of the first robot
    return states


@pytest.mark.parametrize(("latched", "expected"), [(9, [6, 4, 9]), (1, [6, 4])])
def test_a_rollout_ends_where_the_robot_did(latched: int, expected: list[int]) -> None:
    made, episodes = run()
    levels, terminated = episodes.levels.copy(), episodes.terminated.copy()
    levels[latched:, 2] = Level.LATCHED
    terminated[4:, 1] = True
    states = spoilt(episodes.states)
    ended = replace(episodes, states=states, levels=levels, terminated=terminated)
    assert ended.lasted.tolist() == [6, 4, latched]
    rollouts = rollouts_of(made, ended, "x")
    assert [len(rollout) for rollout in rollouts] == expected
    assert all(np.isfinite(rollout.states).all() for rollout in rollouts)


def test_rollouts_tell_what_their_actuators_have_lost() -> None:
    shares = [r.effectiveness for r in collect(worlds(), RandomAgent(STEPS), STEPS, SEEDS, "r")]
    well, lost, sloped = shares
    assert well is not None and lost is not None and sloped is not None
    assert (well == 1.0).all() and (sloped == 1.0).all()
    expected = np.ones((STEPS, 6))
    expected[:, 1] = 0.0  # bshin, from the beginning
    expected[10:, 5] = 0.0  # ffoot, from 0.5 s on
    np.testing.assert_array_equal(lost, expected)


def test_a_rollout_tells_the_force_on_the_tip_from_when_it_begins() -> None:
    situations = Situation(), Situation(force=(1.0, 0.0, -2.0), force_begin=0.12)
    robots = make_simulated("arm_7dof", situations, SEEDS[:2])
    still, pushed = collect(robots, RandomAgent(5), 5, SEEDS[:2], "random-0")
    assert still.causes is not None and not still.causes.any()
    # The force begins with the first control period at or after .12 s, which is that of .15 s.
    assert pushed.causes is not None
    assert pushed.causes.tolist() == [[0, 0, 0]] * 3 + [[1, 0, -2]] * 2


def test_a_rollout_tells_the_slope_where_the_robot_was() -> None:
    flat, _, slope = collect(worlds(), RandomAgent(STEPS), STEPS, SEEDS, "random-0")
    assert flat.causes is not None and flat.causes.tolist() == [[0.0]] * STEPS
    assert slope.causes is not None and slope.causes.tolist() == [[np.float32(0.05)]] * STEPS


def test_robots_without_other_causes_tell_none() -> None:
    (rollout,) = collect(make_simulated("ant", [Situation()], [0]), RandomAgent(2), 2, [0], "r")
    assert rollout.causes is None
