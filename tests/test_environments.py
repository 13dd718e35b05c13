from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from ros_mbmrl.environments import ENVIRONMENTS, STEPS, register
from ros_mbmrl.simulation.situations import Situation, Terrain, TimedFault


@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.filterwarnings("ignore:.*Box observation space.*infinity")
def test_gymnasium_finds_nothing_wrong(name: str) -> None:
    check_env(gymnasium.make(name).unwrapped, skip_render_check=True)


def test_an_episode_is_truncated() -> None:
    environment = gymnasium.make("ros_mbmrl/ArmForce-v0", max_episode_steps=7)
    environment.reset(seed=1)
    ends = [environment.step(environment.action_space.sample())[2:4] for _ in range(7)]
    assert ends == [(False, False)] * 6 + [(False, True)]
    spec = gymnasium.spec("ros_mbmrl/ArmForce-v0")
    assert spec.max_episode_steps == STEPS


def test_every_reset_draws_a_training_situation() -> None:
    environment = gymnasium.make("ros_mbmrl/HalfCheetahDisabled-v0")
    environment.reset(seed=0)
    drawn = {environment.reset()[1]["situation"] for _ in range(40)}
    names = {situation.faults[0].name for situation in drawn}
    assert names == {f"{joint}_disabled" for joint in ("bshin", "bfoot", "fthigh", "ffoot")}


def test_a_situation_can_be_forced_and_seen() -> None:
    environment = gymnasium.make("ros_mbmrl/HalfCheetahDisabled-v0")
    wanted = Situation(Terrain("steep"), (TimedFault("bthigh_disabled", begin=0.05),))
    _, info = environment.reset(seed=0, options={"situation": wanted})
    assert info["situation"] == wanted
    *_, info = environment.step(np.zeros(6))
    assert info["faults"] == {"bthigh_disabled"}


def test_policies_see_no_x_but_a_goal() -> None:
    cheetah = gymnasium.make("ros_mbmrl/HalfCheetahSlope-v0")
    assert cheetah.observation_space.shape == (17,)
    arm = gymnasium.make("ros_mbmrl/ArmForce-v0")
    observation, _ = arm.reset(seed=3, options={"situation": Situation(goal=(0.4, -0.5, 0.1))})
    assert observation.shape == (20,)
    np.testing.assert_allclose(observation[17:], [0.4, -0.5, 0.1], rtol=1e-6)
    _, reward, *_ = arm.step(np.zeros(7))
    way = observation[17:] - observation[14:17]
    assert reward == pytest.approx(-np.square(way).sum(), abs=1e-2)


def test_benchmarks_have_their_own_horizon_reward_and_end() -> None:
    assert gymnasium.spec("ros_mbmrl/MeTrpoHopper-v0").max_episode_steps == 100
    assert gymnasium.spec("ros_mbmrl/MbblHalfCheetah-v0").max_episode_steps == 1000
    environment = gymnasium.make("ros_mbmrl/PrompWalker2dRandParams-v0")
    drawn = {environment.reset(seed=seed)[1]["situation"].parameters for seed in range(5)}
    assert len(drawn) == 5
    environment.action_space.seed(0)
    ends = []
    while not (ends and any(ends[-1])):
        ends.append(environment.step(environment.action_space.sample())[2:4])
    assert ends[-1] == (True, False) and 5 < len(ends) < 150  # it fell


def test_registering_twice_is_nothing() -> None:
    before = dict(gymnasium.registry)
    register()
    assert gymnasium.registry == before
