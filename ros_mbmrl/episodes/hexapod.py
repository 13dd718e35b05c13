"""Closed-loop episodes on the twin, in process: Algorithm 10, and how well it kept its path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from ros_mbmrl.adaptation.guard import GuardConfig
from ros_mbmrl.agents.live import make_live_agent
from ros_mbmrl.control import ControlLoop, Step
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.episodes.scenario import Scenario
from ros_mbmrl.episodes.single import along_path, loop_figures, planned_with, run_loop
from ros_mbmrl.planning.mppi import MPPIConfig
from ros_mbmrl.plants.environment import Stage
from ros_mbmrl.plants.twin import TwinConfig, TwinPlant
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.path_following import PathFollowing, PathWeights, make_path
from ros_mbmrl.robots.paths import SPEED
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import SafetyConfig
from ros_mbmrl.simulation.calibration import calibrated

START_UPDATES = 1  # an episode begins with a good state: safety need not wait for more


@dataclass(frozen=True)
class Episode:
    """The record of an episode, one row a control step.

    times (T,). poses (T, 3): true x, y [m], yaw [rad]. along, cross_track (T,): arc length reached
    and signed distance of the true position from the path [m]. steps: the loop's own records.
    """

    times: Array
    poses: Array
    along: Array
    cross_track: Array
    steps: tuple[Step, ...]

    @property
    def progress(self) -> float:
        """Arc length reached [m]."""
        return float(self.along[-1])

    def summary(self, after: float = 0.0) -> dict[str, Any]:
        """The figures of one row of a table, from `after` [s] on; of the last step at least.

        return: minus the mean over the periods of (cross-track)^2 + (lag in a period)^2, each in
        units of its scale in `PathWeights`: the first two terms of `PathFollowing.cost`, of what
        happened.
        """
        first = min(int(np.searchsorted(self.times, after)), len(self.times) - 1)
        error = np.abs(self.cross_track[first:])
        lasted = float(self.times[-1] - self.times[first])
        return {
            "cross_track_mean_m": float(error.mean()),
            "cross_track_max_m": float(error.max()),
            "progress_m_s": float(self.along[-1] - self.along[first]) / lasted if lasted else 0.0,
            "return": -self._mean_cost(first),
            **loop_figures(self.steps, first),
        }

    def _mean_cost(self, first: int) -> float:
        weights = PathWeights()
        lag = SPEED * np.diff(self.times[first:]) - np.diff(self.along[first:])
        across = float(np.mean((self.cross_track[first:] / weights.cross_track) ** 2))
        return across + (float(np.mean((lag / weights.progress) ** 2)) if len(lag) else 0.0)


def settings() -> dict[str, Any]:
    """Return the settings of `run_episode` and of the twin, which decide an episode as well."""
    twin, robot = calibrated(), make_robot("hexapod")
    own = (PathWeights(), MPPIConfig(), GuardConfig(), SafetyConfig(start_updates=START_UPDATES))
    parts = (*own, twin.frame, twin.motor, twin.telemetry)
    facts = {type(part).__name__: asdict(part) for part in parts}
    return {"speed": SPEED, "planner": planned_with(robot), **facts}


def run_episode(
    robot: Robot,
    loaded: LoadedModel,
    scenario: Scenario,
    method: str | None = None,
    controller: str = "",
    planning: Mapping[str, Any] | None = None,
    delay: float = 0.0,
) -> Episode:
    """Run one episode with a loaded model; it ends early with the path, or when safety stops it.

    controller, planning: see `planned_with`. delay: that the agent is told its commands have [s];
    what they really have is the scenario's.
    """
    task, period = _task(robot, scenario), robot.spec.period
    planner, planning = planned_with(robot, controller, planning)
    agent = make_live_agent(loaded, task, method, planner, planning, scenario.seed, delay)
    safety = SafetyMonitor(robot, SafetyConfig(start_updates=START_UPDATES))
    with _twin(robot, scenario, scenario.seed) as plant:
        loop = ControlLoop(plant, StateEstimator(robot), agent, safety)
        poses, steps = run_loop(
            loop, period, scenario.duration, plant.clean_pose, lambda: task.finished
        )
    times = np.array([k * period for k in range(len(steps))])
    along, errors = along_path(task.path, poses)
    return Episode(times, np.array(poses), along, errors, steps)


def _task(robot: Robot, scenario: Scenario) -> PathFollowing:
    return PathFollowing(robot, make_path(scenario.path), SPEED)


def _twin(robot: Robot, scenario: Scenario, seed: int) -> TwinPlant:
    start = make_path(scenario.path).start
    config = TwinConfig(scenario.terrain, (scenario.fault,), scenario.physics, seed, start)
    return TwinPlant(robot, config)


def hexapod_stage(robot: Robot) -> Stage[Scenario]:
    """Return how hexapods are put into scenarios, for a `PlantEnvironment`.

    The seed of a row stands in for its scenario's.
    """
    return Stage(
        robot,
        twin=partial(_twin, robot),
        task=partial(_task, robot),
        duration=lambda scenario: scenario.duration,
    )


def pin_threads(count: int = 1) -> None:
    """Set torch's threads: a second one only gets in the way of networks this small."""
    torch.set_num_threads(count)
