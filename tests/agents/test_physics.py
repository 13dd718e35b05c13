"""PhysicsAgent: what it imagines is what happens, and it runs better for knowing."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.agents.base import Context
from ros_mbmrl.agents.physics import PhysicsAgent
from ros_mbmrl.episodes.batch import run_episodes
from ros_mbmrl.simulation.simulated_robots import SimulatedRobots, make_simulated
from ros_mbmrl.simulation.situations import NOMINAL, Factors, Situation, Terrain, TimedFault

FEW = {"num_samples": 16, "horizon": 4}
BROKEN = Situation(faults=(TimedFault("bthigh_disabled"),))


def knowing(worlds: SimulatedRobots) -> PhysicsAgent:
    """Plans in the very worlds that it acts in."""
    return PhysicsAgent(lambda _: worlds, follows=False, planning=FEW)


def believing(situation: Situation) -> PhysicsAgent:
    """Plans in worlds of its own, which are all in this situation."""

    def make(context: Context) -> SimulatedRobots:
        return make_simulated("half_cheetah", [situation] * len(context), context.seeds)

    return PhysicsAgent(make, planning=FEW)


def test_it_runs_forwards_and_does_the_same_again() -> None:
    def score() -> float:
        worlds = make_simulated("half_cheetah", [BROKEN], [0])
        return float(run_episodes(worlds, knowing(worlds), 12, [0]).rewards.sum())

    first = score()
    assert first > 3
    assert first == score()


def test_each_robot_plans_as_if_it_were_alone() -> None:
    situations = [BROKEN, Situation(Terrain("steep")), Situation(physics=Factors(mass=2.0))]
    worlds = make_simulated("half_cheetah", situations, [0, 1, 2])
    together = run_episodes(worlds, knowing(worlds), 3, [0, 1, 2])
    second = make_simulated("half_cheetah", situations[1:2], [1])
    alone = run_episodes(second, knowing(second), 3, [1])
    assert alone.actions[:, 0] == pytest.approx(together.actions[:, 1], abs=1e-6)


def test_the_nominal_robot_is_believed_in_whatever_the_real_one_is() -> None:
    def first_action(situation: Situation, believed: Situation | None) -> np.ndarray:
        worlds = make_simulated("half_cheetah", [situation], [0])
        agent = knowing(worlds) if believed is None else believing(believed)
        return run_episodes(worlds, agent, 1, [0]).actions

    whole = first_action(Situation(), NOMINAL)
    assert np.array_equal(first_action(BROKEN, NOMINAL), whole)
    assert not np.array_equal(first_action(BROKEN, None), whole)
    assert not np.array_equal(first_action(Situation(), Situation()), whole)
    assert np.array_equal(first_action(BROKEN, BROKEN), first_action(BROKEN, None))


def test_a_state_that_is_none_is_no_reason_to_stop_planning_for_the_others() -> None:
    worlds = make_simulated("half_cheetah", [Situation()] * 2, [0, 1])
    agent = believing(NOMINAL)
    agent.begin(Context(worlds.robot, [0, 1], worlds.tasks(), worlds.goals))
    states = worlds.states()
    states[0, 3] = np.nan
    action = agent.act(states, 0.0)
    assert action.failed is not None and action.failed.tolist() == [True, False]
    assert np.isfinite(action.commands).all()
