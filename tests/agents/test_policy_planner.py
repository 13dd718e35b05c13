"""A policy in the place of a planner."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Generator

from ros_mbmrl.agents.base import Context
from ros_mbmrl.agents.controller import Controller
from ros_mbmrl.agents.policy import PolicyAgent
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.history import Histories
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.planning import make_planner
from ros_mbmrl.planning.base import WarmStart
from ros_mbmrl.policies.adapt import InnerConfig
from ros_mbmrl.policies.advantages import LinearBaseline
from ros_mbmrl.policies.files import load_policy, save_policy
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.trained import TrainedPolicy
from ros_mbmrl.policies.with_history import HistoryPolicy
from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation

ROBOT = make_robot("half_cheetah")


def _saved(folder: Path, inner: InnerConfig | None = None) -> Path:
    sizes = (len(ROBOT.observed), 8, len(ROBOT.spec.action))
    mlp = MLP(sizes, "tanh")
    parameters = mlp.init(Generator().manual_seed(0))
    parameters["log_std"] = torch.zeros(sizes[-1])
    policy = GaussianPolicy(mlp, torch.zeros(sizes[0]), torch.ones(sizes[0]))
    baselines = (LinearBaseline(torch.zeros(4)),) if inner else ()
    trained = TrainedPolicy(policy, parameters, (), baselines)
    save_policy(folder, ROBOT, trained, {"method": "trpo"}, inner)
    return folder


def test_it_does_what_the_policy_does_in_a_batch(tmp_path: Path) -> None:
    planner = make_planner("policy", ROBOT.spec, policy={"folder": str(_saved(tmp_path))})
    worlds = make_simulated("half_cheetah", [Situation()] * 2, [3, 4])
    agent = PolicyAgent(load_policy(tmp_path, ROBOT))
    agent.begin(Context(ROBOT, [3, 4], worlds.tasks(), worlds.goals))
    states = worlds.states()
    wanted = agent.act(states, 0.0).commands
    for state, action in zip(states, wanted, strict=True):
        plan = planner.plan(
            lambda states, actions: states,
            lambda states, actions, reference: states.sum((1, 2)),
            torch.as_tensor(state, dtype=torch.float32),
            torch.zeros(0),
            WarmStart(None, torch.zeros(6)),
            Generator().manual_seed(0),
        )
        assert np.allclose(plan.action.numpy(), action, atol=1e-6)
        assert plan.actions.shape == (1, 6)


@pytest.mark.parametrize("rewards", [False, True])
def test_a_recurrent_policy_commands_in_lockstep_what_it_does_in_a_batch(
    tmp_path: Path, rewards: bool
) -> None:
    layout = Histories(len(ROBOT.observed), len(ROBOT.spec.action), 3, rewards)
    policy = HistoryPolicy.of(layout, 5, (8,), "silu")
    parameters = policy.init(Generator().manual_seed(0))
    parameters["w1"] = 10 * parameters["w1"]  # so that the history moves the commands
    save_policy(tmp_path, ROBOT, TrainedPolicy(policy, parameters, ()), {"method": "m3po"})
    batch = PolicyAgent(load_policy(tmp_path, ROBOT))
    worlds = make_simulated("half_cheetah", [Situation()] * 2, [3, 4])
    batch.begin(Context(ROBOT, [3, 4], worlds.tasks(), worlds.goals))
    planner = make_planner("policy", ROBOT.spec, policy={"folder": str(tmp_path)})
    for _ in range(2):  # the second run begins without a memory of the first one
        lone = make_simulated("half_cheetah", [Situation()], [3])
        (task,), told = lone.tasks(), []
        controller = Controller(ROBOT, planner, task, Generator())
        worlds = make_simulated("half_cheetah", [Situation()] * 2, [3, 4])
        batch.begin(Context(ROBOT, [3, 4], worlds.tasks(), worlds.goals))
        for step in range(6):
            wanted = batch.act(worlds.states(), 0.05 * step).commands
            adapted: Any = SimpleNamespace(parameters={}, hidden=None, spread=None)
            model: Any = SimpleNamespace(predictor=lambda *of: None)
            plan = controller.plan(model, adapted, lone.states()[0])
            found = plan.action.numpy().astype(float)
            assert np.allclose(found, wanted[0], atol=1e-5)
            told.append(found)
            batch.acted(wanted)
            controller.commanded(found)
            worlds.step(wanted)
            lone.step(wanted[:1])
        assert np.ptp(np.array(told), axis=0).max() > 1e-3


def test_what_searching_planners_are_told_is_not_for_it(tmp_path: Path) -> None:
    folder = {"policy": {"folder": str(_saved(tmp_path))}}
    make_planner("policy", ROBOT.spec, num_samples=128, horizon=10, **folder)
    with pytest.raises(UserError, match="planner parameter"):
        make_planner("policy", ROBOT.spec, courage=1.0, **folder)


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"expected a policy's folder"):
        make_planner("policy", ROBOT.spec)
    with pytest.raises(UserError, match="practises before it acts"):
        folder = _saved(tmp_path, InnerConfig())
        make_planner("policy", ROBOT.spec, policy={"folder": str(folder)})
