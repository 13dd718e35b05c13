"""PolicyAgent in the loop of many robots."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from ros_mbmrl.agents.policy import PolicyAgent
from ros_mbmrl.episodes.batch import run_episodes
from ros_mbmrl.learning.policies.maml_rl import MAMLConfig, train_maml_rl
from ros_mbmrl.learning.policies.practice import practise
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.adapt import InnerConfig
from ros_mbmrl.policies.files import LoadedPolicy, load_policy, save_policy
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.sampling import Tasks

INNER = InnerConfig(episodes=4, horizon=20, rate=0.1)


def test_it_takes_the_mean_action_in_each_commands_range(point_tasks: Tasks) -> None:
    policy = GaussianPolicy(MLP((2, 2)), torch.zeros(2), torch.ones(2))
    parameters = {"w0": torch.eye(2), "b0": torch.tensor([0.25, -3.0]), "log_std": torch.zeros(2)}
    agent = PolicyAgent(LoadedPolicy(policy, parameters, {}))
    worlds = point_tasks.make(*point_tasks.drawn(np.random.default_rng(0), 3))
    episodes = run_episodes(worlds, agent, 2, [0, 1, 2])
    # From the origin a quarter of 2 m/s along x, and along -y all there is.
    assert episodes.actions[0] == pytest.approx(np.tile([0.5, -2.0], (3, 1)))
    assert episodes.actions[1] == pytest.approx(np.tile([0.6, -2.0], (3, 1)))
    assert episodes.diagnostics is None


def test_a_policy_that_adapts_does_so_to_each_robot_before_the_run(
    point_tasks: Tasks, tmp_path: Path
) -> None:
    config = MAMLConfig(budget=48_000, tasks=20, inner=INNER, hidden=(32, 32), seed=1)
    trained = train_maml_rl(point_tasks, config)
    save_policy(tmp_path, point_tasks.robot, trained, {"method": "maml_rl"}, INNER)
    loaded = load_policy(tmp_path, point_tasks.robot)
    goals, seeds = point_tasks.drawn(np.random.default_rng(9), 10)

    def score(agent: PolicyAgent) -> float:
        episodes = run_episodes(point_tasks.make(goals, seeds), agent, 20, seeds)
        return float(episodes.rewards.sum(0).mean())

    adapting = PolicyAgent(loaded, partial(practise, loaded, point_tasks.make, goals))
    prior = PolicyAgent(LoadedPolicy(loaded.policy, loaded.parameters, {}))
    assert score(adapting) > score(prior) + 3
    with pytest.raises(ValueError, match="a way to practise"):
        PolicyAgent(loaded)
