"""PhysicsAgent: what it imagines is what happens, and it runs better for knowing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from ros_mbmrl.agents.physics import NOMINAL, PhysicsAgent
from ros_mbmrl.control_batch import Agent, run_episodes
from ros_mbmrl.simulation.situations import Factors, Situation, Terrain, TimedFault
from ros_mbmrl.simulation.worlds import make_worlds

FEW = {"num_samples": 16, "horizon": 4}
BROKEN = Situation(faults=(TimedFault("bthigh_disabled"),))


def score(agent: Agent, situations: Sequence[Situation], seeds: Sequence[int], steps: int) -> float:
    worlds = make_worlds("half_cheetah", situations, seeds)
    return float(run_episodes(worlds, agent, steps, seeds).rewards.sum(0).mean())


def test_it_runs_forwards_and_does_the_same_again() -> None:
    first, again = (score(PhysicsAgent(None, planning=FEW), [BROKEN], [0], 12) for _ in range(2))
    assert first > 3
    assert first == again


def test_each_robot_plans_as_if_it_were_alone() -> None:
    situations = [BROKEN, Situation(Terrain("steep")), Situation(physics=Factors(mass=2.0))]
    worlds = make_worlds("half_cheetah", situations, [0, 1, 2])
    together = run_episodes(worlds, PhysicsAgent(None, planning=FEW), 3, [0, 1, 2])
    alone_worlds = make_worlds("half_cheetah", situations[1:2], [1])
    alone = run_episodes(alone_worlds, PhysicsAgent(None, planning=FEW), 3, [1])
    assert alone.actions[:, 0] == pytest.approx(together.actions[:, 1], abs=1e-6)


def test_the_nominal_robot_is_believed_in_whatever_the_real_one_is() -> None:
    def first_action(situation: Situation, believed: Situation | None) -> np.ndarray:
        worlds = make_worlds("half_cheetah", [situation], [0])
        return run_episodes(worlds, PhysicsAgent(believed, planning=FEW), 1, [0]).actions

    whole = first_action(Situation(), NOMINAL)
    assert np.array_equal(first_action(BROKEN, NOMINAL), whole)
    assert not np.array_equal(first_action(BROKEN, None), whole)
    assert not np.array_equal(first_action(Situation(), Situation()), whole)
    assert np.array_equal(first_action(BROKEN, BROKEN), first_action(BROKEN, None))


def test_a_state_that_is_none_is_no_reason_to_stop_planning_for_the_others() -> None:
    worlds = make_worlds("half_cheetah", [Situation()] * 2, [0, 1])
    agent = PhysicsAgent(planning=FEW)
    agent.begin(worlds, [0, 1])
    states = worlds.states()
    states[0, 3] = np.nan
    acted = agent.act(states)
    assert acted.failed is not None and acted.failed.tolist() == [True, False]
    assert np.isfinite(acted.actions).all()
