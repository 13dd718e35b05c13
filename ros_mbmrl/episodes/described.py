"""Closed-loop episodes of a robot of a file on its twin: what its task costs, a fault on the way.

Which robot it is, is drawn from the file's `randomise`, as in data to train on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ros_mbmrl.agents.live import make_live_agent
from ros_mbmrl.control import ControlLoop, Step
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.episodes.single import along_path, loop_figures, planned_with, run_loop
from ros_mbmrl.plants.described_twin import twin_in
from ros_mbmrl.plants.simulated import SimulatedPlant
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.path_following import SPEED, PathFollowing
from ros_mbmrl.robots.paths import make_path
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.robots.task import Finishing, Measured, Task, rewards_each
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import SafetyConfig
from ros_mbmrl.simulation.situations import RandomParameters, Situation, TimedFault

NONE = "none"  # no fault
START_UPDATES = 1  # an episode begins with a good state: safety need not wait for more


@dataclass(frozen=True)
class TwinScenario:
    """One episode of a robot of a file.

    Args:
        goal: name of the task, or of the path.
        speed: along the path [m/s].
        fault: of the file, or none.
        at: when the fault begins, and with it what counts as after it [s].
        duration: of the episode at most [s].
        seed: of the robot that is drawn, of its start, of the noise, and of planning.
    """

    goal: str
    speed: float = SPEED
    fault: str = NONE
    at: float = 5.0
    duration: float = 10.0
    seed: int = 0

    def task(self, robot: Robot, begin: Array) -> Task:
        """Return the task of a robot that is in the state `begin` (ds,). Raises UserError."""
        made = robot.make_task(self.goal, begin)
        if isinstance(made, PathFollowing):
            made.speed = self.speed
        return made

    def situation(self, robot: Robot) -> Situation:
        """Return which robot it is, where it begins, and what fails."""
        faults = () if self.fault == NONE else (TimedFault(self.fault, self.at),)
        start = make_path(self.goal).start if robot.follows_paths else None
        drawn = RandomParameters(self.seed)
        return Situation(faults=faults, parameters=drawn, start=start)


@dataclass(frozen=True)
class TwinEpisode:
    """The record of an episode of T control periods; after a stop by safety the robot rests.

    Args:
        times: when each period began (T,) [s].
        at: when the fault began [s].
        costs: of each period by the task, of true states (T,).
        measured: the task's own figures of each period (T,) by name and unit.
        along: arc length reached on the path at the beginning of each period (T,) [m], or None.
        cross_track: signed distance from the path then (T,) [m], or None.
        steps: the loop's own records; fewer than T after a stop.
    """

    times: Array
    at: float
    costs: Array
    measured: dict[tuple[str, str], Array]
    along: Array | None
    cross_track: Array | None
    steps: tuple[Step, ...]

    @cached_property
    def first(self) -> int:
        """Return the first period that counts as after the fault; the last one at least."""
        return min(int(np.searchsorted(self.times, self.at - 1e-9)), len(self.times) - 1)

    def summary(self) -> dict[str, Any]:
        """Return the figures of one row of a table.

        Names are those of a launch's report: means before and after the fault, and as `return` the
        negative sum of the costs. `cross_track_mean_m` and others of the path are after the fault.
        """
        figures: dict[str, Any] = {"return": -float(self.costs.sum())}
        shown = {("cost", ""): self.costs, **self.measured}
        if self.cross_track is not None:
            shown["cross_track", "m"] = np.abs(self.cross_track)
        for (name, unit), values in shown.items():
            end = f"_{unit}" if unit else ""
            before, after = values[: self.first], values[self.first :]
            figures[f"{name}_before_fault{end}"] = float(before.mean()) if len(before) else None
            figures[f"{name}_after_fault{end}"] = float(after.mean())
        return {
            **figures,
            **self._on_path(),
            **loop_figures(self.steps, min(self.first, len(self.steps) - 1)),
        }

    def _on_path(self) -> dict[str, float]:
        if self.cross_track is None or self.along is None:
            return {}
        error, along = np.abs(self.cross_track[self.first :]), self.along[self.first :]
        lasted = float(self.times[-1] - self.times[self.first])
        return {
            "cross_track_mean_m": float(error.mean()),
            "cross_track_max_m": float(error.max()),
            "progress_m_s": float(along[-1] - along[0]) / lasted if lasted else 0.0,
        }


def run_twin(
    robot: Robot, loaded: LoadedModel, scenario: TwinScenario, controller: str = ""
) -> TwinEpisode:
    """Run one episode with a loaded model; it ends early with a task that has an end.

    Args:
        robot: of a file with a section `twin`.
        loaded: its model, adapted as its card says.
        scenario: the episode.
        controller: name of the planner; empty: the robot's own.

    Raises:
        UserError: the robot has no such task or fault, or its model is wrong.
        RunError: the physics broke down.
    """
    name, seed, period = robot.spec.name, scenario.seed, robot.spec.period
    planner, planning = planned_with(robot, controller)
    safety = SafetyMonitor(robot, SafetyConfig(**{**robot.safety, "start_updates": START_UPDATES}))
    with twin_in(name, scenario.situation(robot), seed) as plant:
        begin = StateEstimator(robot).update(plant.truth())
        task = scenario.task(robot, begin)
        agent = make_live_agent(loaded, task, None, planner, planning, seed)
        loop = ControlLoop(plant, StateEstimator(robot), agent, safety)

        def finished() -> bool:
            return isinstance(task, Finishing) and task.finished

        seen, steps = run_loop(loop, period, scenario.duration, plant.truth, finished)
        left = 0 if finished() else round(scenario.duration / period) - len(seen)
        seen += _at_rest(plant, robot, left)
    return _judged(robot, scenario, seen, steps)


def _at_rest(plant: SimulatedPlant, robot: Robot, periods: int) -> list[Measurement]:
    """Keep a stopped robot at rest for so many periods; return the truth at each edge of them.

    A stop shall not make an episode cheaper.
    """
    seen = [plant.truth()]
    for _ in range(periods):
        plant.command(robot.spec.rest)
        plant.advance(robot.spec.period)
        seen.append(plant.truth())
    return seen


def _judged(
    robot: Robot, scenario: TwinScenario, seen: list[Measurement], steps: tuple[Step, ...]
) -> TwinEpisode:
    """Return the record of an episode whose truth was `seen` at the edges of T periods (T+1)."""
    estimator = StateEstimator(robot)
    states = np.array([estimator.update(each) for each in seen])
    count = len(seen) - 1
    actions = np.tile(robot.spec.rest, (count, 1))
    actions[: len(steps)] = [step.checked.action for step in steps]
    task = scenario.task(robot, states[0])
    costs = -rewards_each([task] * count, states[:-1], actions, states[1:])
    measured = dict(task.measured(states)) if isinstance(task, Measured) else {}
    along = cross_track = None
    if isinstance(task, PathFollowing):
        along, cross_track = along_path(task.path, [robot.pose(s) or () for s in states[:-1]])
    times = np.array([k * robot.spec.period for k in range(count)])
    return TwinEpisode(times, scenario.at, costs, measured, along, cross_track, steps)
