"""A policy's folder on the graph: in lockstep it gives what an evaluation gives, to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("mujoco")
import torch
from torch import Generator

from ros_mbmrl import bringup
from ros_mbmrl.agents.policy import PolicyAgent
from ros_mbmrl.data import dataset
from ros_mbmrl.dynamics.card import POLICY_MODEL
from ros_mbmrl.dynamics.files import save_model
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.episodes import batch
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.files import load_policy, save_policy
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.trained import TrainedPolicy
from ros_mbmrl.robots import make_robot
from ros_mbmrl.safety.types import SafetyConfig
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation
from ros_mbmrl.supervisor import supervise

STEPS, SEED = 20, 5
ROBOT = make_robot("half_cheetah")


def save(folder: Path) -> None:
    """A policy by chance, in the folder that `mbmrl train me_trpo` writes."""
    generator, spec = Generator().manual_seed(1), ROBOT.spec
    seen, inputs = len(ROBOT.observed), len(spec.features) + len(spec.action)
    policy = GaussianPolicy(MLP((seen, 16, len(spec.action))), torch.zeros(seen), torch.ones(seen))
    parameters = {**policy.mlp.init(generator), "log_std": torch.zeros(len(spec.action))}
    save_policy(folder, ROBOT, TrainedPolicy(policy, parameters, ()), {"method": "me_trpo"})
    mlp = Ensemble((inputs, 8, len(spec.changes)), members=2)
    ones = torch.ones(inputs), torch.ones(len(spec.changes))
    normalizer = Normalizer(0 * ones[0], ones[0], 0 * ones[1], ones[1])
    card = {"method": "mb", "options": {}, "adapt_window": 4}
    model = DynamicsModel(ROBOT, mlp, normalizer)
    save_model(folder / POLICY_MODEL, model, mlp.init(generator), card)


def test_the_graph_does_what_an_evaluation_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "p")
    words = ["robot:=half_cheetah", "controller:=policy", f"model:={tmp_path / 'p'}"]
    words += [f"recording:={tmp_path / 'run.mcap'}", f"seed:={SEED}", "lockstep:=true"]
    words += [f"duration:={STEPS * ROBOT.spec.period}"]
    assert supervise(bringup.graph("adapt", words), echo=print).status == 0
    (graph,) = dataset.load([tmp_path / "run.mcap"])
    monkeypatch.setattr(batch, "SAFETY", SafetyConfig())  # the graph's: it waits for good states
    robots = make_simulated("half_cheetah", [Situation()], [SEED])
    agent = PolicyAgent(load_policy(tmp_path / "p", ROBOT))
    episode = batch.run_episodes(robots, agent, STEPS, [SEED])
    count = len(graph.actions)
    assert count >= STEPS - 1 and np.ptp(graph.actions, axis=0).min() > 0.1
    assert graph.actions.tobytes() == episode.actions[:count, 0].astype(np.float32).tobytes()
    assert graph.states.tobytes() == episode.states[: count + 1, 0].astype(np.float32).tobytes()
