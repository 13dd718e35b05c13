"""In lockstep, the graph of processes, the in-process loop and a replay give the same numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("mujoco")
import torch

from ros_mbmrl import bringup, cli
from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.agents.live import make_live_agent
from ros_mbmrl.control import ControlLoop
from ros_mbmrl.data.recording import read_messages
from ros_mbmrl.dynamics.files import load_model, save_model
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.episodes.single import planned_with
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.plants.twin import TwinConfig, TwinPlant
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.path_following import PathFollowing
from ros_mbmrl.robots.paths import Path as Course
from ros_mbmrl.robots.paths import make_path
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.simulation.faults import Fault
from ros_mbmrl.supervisor import supervise

STEPS, SEED, FAULT = 30, 3, "leg_left_middle@1.2"
RESTS = 2  # steps for which safety waits for a second state; a fault's seconds count from then on


@pytest.fixture(params=["mb_de", "rebal"])
def method(request: pytest.FixtureRequest) -> str:
    """One that makes new parameters, one that remembers."""
    return str(request.param)


def save_random_model(folder: Path, method: str) -> None:
    """What it says does not matter here, only that all agree."""
    robot = make_robot("hexapod")
    inputs = len(robot.spec.features) + len(robot.spec.action)
    outputs = len(robot.spec.changes)
    mlp = MLP((inputs, 24, outputs))
    generator = torch.Generator().manual_seed(6)
    parameters = mlp.init(generator)
    for name, value in make_rule(method).init(mlp, parameters, generator).items():
        parameters[name] = value + 0.1 * torch.randn(value.shape, generator=generator)
    normalizer = Normalizer(
        torch.zeros(inputs), torch.full((inputs,), 5.0), torch.zeros(outputs), torch.ones(outputs)
    )
    card = {"method": method, "options": {}, "adapt_window": 16}
    save_model(folder, DynamicsModel(robot, mlp, normalizer), parameters, card)


@pytest.fixture(params=["false", "true"])
def composed(request: pytest.FixtureRequest) -> str:
    """Whether the control path is one process."""
    return str(request.param)


@pytest.fixture
def run(once: Callable[..., Path], method: str, composed: str) -> Path:
    """A folder with a model, and the recording of the graph that ran with it."""

    def fill(folder: Path) -> None:
        save_random_model(folder / "model", method)
        as_graph(folder / "model", method, composed, folder / "run.mcap")

    return once(f"lockstep-{method}-{composed}", fill)


def in_process(model: Path, method: str) -> np.ndarray:
    """Actions (STEPS, da) of `ControlLoop`; the model is adapted at some of the steps."""
    robot = make_robot("hexapod")
    torch.set_num_threads(1)
    loaded = load_model(model, robot)
    begin = make_path("zigzag").start
    faults = (Fault.parse(FAULT),)
    with TwinPlant(robot, TwinConfig("turf", faults, seed=SEED, start=begin)) as plant:
        plant.faults_from(RESTS * 0.1)
        start = StateEstimator(robot).update(plant.observe())
        course = make_path("zigzag").placed(*robot.pose(start))
        task = PathFollowing(robot, Course.from_points(course.points), speed=0.25)
        agent = make_live_agent(loaded, task, method, *planned_with(robot), seed=SEED)
        loop = ControlLoop(plant, StateEstimator(robot), agent, SafetyMonitor(robot))
        steps = [loop.step(0.1) for _ in range(STEPS)]
    assert any(step.adapted.report.accepted for step in steps)
    assert [step.checked.action.any() for step in steps[: RESTS + 1]] == [False] * RESTS + [True]
    return np.stack([step.checked.action for step in steps])


def as_graph(model: Path, method: str, composed: str, recording: Path) -> None:
    """The same by the graph."""
    words = [f"model:={model}", f"method:={method}", f"fault:={FAULT}", "terrain:=turf"]
    words += [
        f"composed:={composed}",
        "path:=zigzag",
        f"recording:={recording}",
        f"duration:={STEPS / 10}",
        f"seed:={SEED}",
    ]
    summary = supervise(bringup.graph("adapt", [*words, "lockstep:=true"]), echo=print)
    assert (summary.status, summary.exit_codes) == (0, dict.fromkeys(summary.exit_codes, 0))
    assert summary.first_command_seconds is not None


def recorded_actions(recording: Path) -> np.ndarray:
    """Actions (STEPS, da) that the recorder saw on `command/safe`."""
    commands = {}
    for recorded in read_messages(recording, ["/hexapod/command/safe"]):
        stamp = recorded.message.header.stamp
        commands[stamp.sec, stamp.nanosec] = list(recorded.message.velocity)
    return np.array([commands[stamp] for stamp in sorted(commands)])


def test_nodes_and_loop_give_the_same_numbers(run: Path, method: str) -> None:
    nodes, loop = recorded_actions(run / "run.mcap"), in_process(run / "model", method)
    assert nodes.shape == loop.shape
    assert len(np.unique(loop, axis=0)) > STEPS // 2
    assert nodes.tobytes() == loop.tobytes()


def test_a_replay_gives_the_runs_own_commands_again(run: Path, tmp_path: Path) -> None:
    words = ["replay", str(run / "run.mcap"), "--model", str(run / "model"), "--seed", str(SEED)]
    report, out = tmp_path / "replay.json", tmp_path / "out"
    cli.main([*words, "--out", str(out), "--json", str(report)])
    found = json.loads(report.read_text())["results"]
    assert found["compared"] == found["equal"] == found["steps"] == STEPS
    assert found["accepted_fraction"] > 0
    assert len({tuple(row["proposed"]) for row in found["rows"]}) > STEPS // 2
    assert {p.name for p in out.iterdir()} == {"errors.png", "commands.png", "replay.html"}
