"""Closed-loop episodes of the PR2's arm on its twin: how near the tool comes to its goal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ros_mbmrl.agents.live import make_live_agent
from ros_mbmrl.control import ControlLoop, Step
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.episodes.single import loop_figures, planned_with, run_loop
from ros_mbmrl.plants.environment import Stage
from ros_mbmrl.plants.pr2_twin import make_arm
from ros_mbmrl.robots.arm_tasks import BringPoints
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.pr2_kinematics import tool_points
from ros_mbmrl.robots.pr2_limits import JOINTS
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import Level, SafetyConfig
from ros_mbmrl.simulation.pr2 import START
from ros_mbmrl.simulation.pr2_faults import NO_FAULT, NOMINAL, ArmFault, ArmPhysics

ROBOT = "pr2_arm"
REACHED = 0.03  # [m]: every point nearer than this
APART = 0.6  # of a goal's posture from the start's, uniform [rad]
INSIDE = 0.1  # from a soft limit, at least [rad]
SETTLED = 1.0  # the time at the end over which the final distance is taken [s]


@dataclass(frozen=True)
class Reaching:
    """One episode: which goal (by seed), which arm, what breaks, for how long [s]."""

    seed: int = 0
    fault: ArmFault = NO_FAULT
    physics: ArmPhysics = NOMINAL
    duration: float = 8.0

    @property
    def goal(self) -> Array:
        """The points (9,) [m] of a random posture in front of the robot."""
        rng = np.random.default_rng([self.seed, 3])
        posture = np.array(START) + rng.uniform(-APART, APART, len(JOINTS))
        low = [joint.soft_lower + INSIDE for joint in JOINTS]
        high = [joint.soft_upper - INSIDE for joint in JOINTS]
        return tool_points(np.clip(posture, low, high))


@dataclass(frozen=True)
class Reached:
    """The record of an episode; distances (T, 3): of each point from its goal, in truth [m]."""

    times: Array
    distances: Array
    steps: tuple[Step, ...]

    @property
    def final(self) -> float:
        """The largest of the three distances [m], its mean over the last second."""
        return float(self.distances[self.times > self.times[-1] - SETTLED].max(axis=1).mean())

    @property
    def seconds(self) -> float:
        """When all points came within 3 cm for good [s]; inf if they did not."""
        far = np.flatnonzero(self.distances.max(axis=1) > REACHED)
        if not len(far):
            return 0.0
        return float(self.times[far[-1] + 1]) if far[-1] + 1 < len(self.times) else float("inf")

    def summary(self) -> dict[str, float]:
        """The figures of one row of a table."""
        return {
            "final_m": self.final,
            "reached_s": self.seconds,
            **loop_figures(self.steps),
            "limited": sum(s.checked.level == Level.LIMITED for s in self.steps),
        }


def arm_stage(robot: Robot) -> Stage[Reaching]:
    """Return how arms are given goals, for a `PlantEnvironment`.

    The seed of a row decides its start; its goal is that of `Reaching.seed`.
    """
    return Stage(
        robot,
        twin=lambda what, seed: make_arm(robot, what.physics, (what.fault,), seed),
        task=lambda what: BringPoints(robot, what.goal),
        goal=lambda what: what.goal,
        duration=lambda what: what.duration,
    )


def run_reach(
    robot: Robot,
    loaded: LoadedModel,
    what: Reaching,
    method: str | None = None,
    settings: Mapping[str, Any] | None = None,
    controller: str = "",
) -> Reached:
    """Run one episode with a loaded model; it ends early when safety stops the arm.

    Args:
        robot: the arm.
        loaded: its model.
        what: the episode.
        method: how the model is adapted; None: as its card says.
        settings: the planner's parameters; None: those of the robot's parameter file.
        controller: name of the planner; empty: the robot's own.
    """
    task = BringPoints(robot, what.goal)
    period = robot.spec.period
    planner, settings = planned_with(robot, controller, settings)
    agent = make_live_agent(loaded, task, method, planner, settings, what.seed)
    safety = SafetyMonitor(robot, SafetyConfig(start_updates=1))
    with make_arm(robot, what.physics, (what.fault,), what.seed) as plant:
        loop = ControlLoop(plant, StateEstimator(robot), agent, safety)
        points, steps = run_loop(loop, period, what.duration, plant.world.points)
    errors = (np.array(points) - what.goal).reshape(-1, 3, 3)
    times = np.array([k * period for k in range(len(steps))])
    return Reached(times, np.linalg.norm(errors, axis=2), steps)
