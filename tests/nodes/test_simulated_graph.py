"""A simulated robot through the graph of processes: the numbers of the in-process loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")
import torch

from ros_mbmrl import bringup
from ros_mbmrl.agents.live import make_live_agent
from ros_mbmrl.control import ControlLoop
from ros_mbmrl.data.from_recording import rollouts_from_recording
from ros_mbmrl.dynamics.files import load_model, save_model
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.plants import make_plant
from ros_mbmrl.plants.base import PlantOptions, Scheduled
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.supervisor import supervise
from ros_mbmrl.untrusted import read_yaml

STEPS, SEED, TERRAIN, FAULT = 24, 3, "steep", "bfoot_disabled@0.6"
RESTS = 2  # steps for which safety waits for a second state; a fault's seconds count from then on


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model of random weights: what it says does not matter here, only that all agree."""
    robot = make_robot("half_cheetah")
    inputs = len(robot.spec.features) + len(robot.spec.action)
    mlp = MLP((inputs, 24, len(robot.spec.changes)))
    parameters = mlp.init(torch.Generator().manual_seed(6))
    outputs = torch.zeros(len(robot.spec.changes))
    normalizer = Normalizer(
        torch.zeros(inputs), torch.full((inputs,), 5.0), outputs, torch.ones_like(outputs)
    )
    card = {"method": "mb", "options": {}, "adapt_window": 16}
    save_model(tmp_path / "model", DynamicsModel(robot, mlp, normalizer), parameters, card)
    return tmp_path / "model"


def test_nodes_and_loop_give_the_same_numbers(model: Path, tmp_path: Path) -> None:
    recording = tmp_path / "run.mcap"
    words = ["robot:=half_cheetah", "method:=mb", f"model:={model}", f"terrain:={TERRAIN}"]
    words += [f"fault:={FAULT}", f"recording:={recording}", f"duration:={STEPS / 20}"]
    nodes = bringup.graph("adapt", [*words, f"seed:={SEED}", "lockstep:=true"])
    summary = supervise(nodes, echo=print)
    assert (summary.status, summary.exit_codes) == (0, dict.fromkeys(summary.exit_codes, 0))
    (recorded,) = rollouts_from_recording(recording)

    robot = make_robot("half_cheetah")
    torch.set_num_threads(1)
    loaded = load_model(model, robot)
    settings = read_yaml(Path("config/half_cheetah.yaml"))
    planner = settings["/half_cheetah/controller"]["ros__parameters"]["planner"]
    options = PlantOptions(terrain=TERRAIN, fault=FAULT, seed=SEED)
    with make_plant(robot, "twin", options) as plant:
        assert isinstance(plant, Scheduled)
        plant.faults_from(RESTS * robot.spec.period)
        start = StateEstimator(robot).update(plant.observe())
        task = robot.make_task("run", start)
        agent = make_live_agent(loaded, task, "mb", robot.planner, planner, seed=SEED)
        loop = ControlLoop(plant, StateEstimator(robot), agent, SafetyMonitor(robot))
        steps = [loop.step(robot.spec.period) for _ in range(STEPS)]
    assert [step.checked.action.any() for step in steps[: RESTS + 1]] == [False] * RESTS + [True]
    actions = np.array([step.checked.action for step in steps], dtype=np.float32)
    states = np.array([step.state for step in steps], dtype=np.float32)
    count = len(recorded.actions)
    assert count >= STEPS - 2
    np.testing.assert_array_equal(recorded.actions, actions[:count])
    np.testing.assert_array_equal(recorded.states[:count], states[:count])
    assert np.abs(actions[5:]).max() > 0.3
