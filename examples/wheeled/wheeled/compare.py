"""`python -m wheeled.compare MODEL...`: a wheel breaks half way along the figure 8, in process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro
from ros_mbmrl.agents.live import make_live_agent
from ros_mbmrl.control import ControlLoop
from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.path_following import PathFollowing
from ros_mbmrl.robots.paths import make_path
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.safety.monitor import SafetyMonitor
from tyro.conf import Positional

from wheeled.twin import FAULTS, WheeledTwin


@dataclass(frozen=True)
class Compare:
    """Mean distance from the path [cm] of each model, before and after a fault."""

    models: Positional[tuple[Path, ...]]
    """Model folders; the folder's name is the method that the model is run with."""
    fault: str = "left_tyre_lost"
    """What breaks half way."""
    path: str = "figure8"
    """What is followed."""
    speed: float = 0.4
    """Along the path [m/s]."""
    duration: float = 24.0
    """Of a run [s]."""
    seeds: int = 3
    """Runs of each model."""


def drive(folder: Path, arguments: Compare, seed: int) -> tuple[Array, Array]:
    """Distances [m] from the path, and whether the adapted model was used; a row a control step."""
    robot = make_robot("wheeled")
    loaded = load_model(folder, robot)
    line, duration = make_path(arguments.path), arguments.duration
    fault = FAULTS[arguments.fault]
    twin = WheeledTwin(robot, fault=fault, fault_at=duration / 2, start=line.start, seed=seed)
    task = PathFollowing(robot, line, arguments.speed)
    agent = make_live_agent(loaded, task, folder.name, seed=seed)
    with twin:
        loop = ControlLoop(twin, StateEstimator(robot), agent, SafetyMonitor(robot))
        errors, accepted, progress = [], [], 0.0
        for _ in range(round(duration / robot.spec.period)):
            progress, error = line.project(twin.clean_pose()[:2], progress)
            errors.append(abs(error))
            accepted.append(loop.step(robot.spec.period).adapted.report.accepted)
    return np.array(errors), np.array(accepted)


def main() -> None:
    """Entry point."""
    arguments = tyro.cli(Compare)
    torch.set_num_threads(1)
    print(f"{'method':20} {'before':>8} {'after':>8} [cm] {'accepted':>10}")
    for folder in arguments.models:
        runs = [drive(folder, arguments, seed) for seed in range(arguments.seeds)]
        errors, accepted = np.array([run[0] for run in runs]), np.mean([run[1] for run in runs])
        before, after = (100 * half.mean() for half in np.split(errors, 2, axis=1))
        print(f"{folder.name:20} {before:8.2f} {after:8.2f} {accepted:15.0%}")


if __name__ == "__main__":
    main()
