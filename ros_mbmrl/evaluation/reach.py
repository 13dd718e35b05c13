"""The PR2 arm's closed loop on its twin: how near the tool's points come to their goal.

`python -m ros_mbmrl.evaluation.reach` compares methods over the same goals, arms and faults.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from torch import Generator

from ros_mbmrl.adaptation import trained_as
from ros_mbmrl.adaptation.guard import make_guard
from ros_mbmrl.bringup import find
from ros_mbmrl.control import Controller, ControlLoop, OnlineDynamics, Step
from ros_mbmrl.dynamics.files import LoadedModel, load_model
from ros_mbmrl.errors import UserError
from ros_mbmrl.planning import make_planner
from ros_mbmrl.plants.pr2_twin import make_arm
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.arm_tasks import BringPoints
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.pr2_kinematics import tool_points
from ros_mbmrl.robots.pr2_limits import JOINTS
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import Level, SafetyConfig
from ros_mbmrl.simulation.pr2 import START
from ros_mbmrl.simulation.pr2_faults import NO_FAULT, NOMINAL, ArmFault, ArmPhysics
from ros_mbmrl.untrusted import read_yaml

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
    """What happened. distances (T, 3): true distance of each point from its goal [m]."""

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
        reports = [step.adapted.report for step in self.steps]
        return {
            "final_m": self.final,
            "reached_s": self.seconds,
            "prediction_error_prior": float(np.mean([r.error_before for r in reports])),
            "prediction_error_adapted": float(np.mean([r.error_after for r in reports])),
            "accepted_fraction": float(np.mean([r.accepted for r in reports])),
            "safety_stops": sum(s.checked.level == Level.LATCHED for s in self.steps),
            "limited": sum(s.checked.level == Level.LIMITED for s in self.steps),
            "plan_ms_p50": 1e3 * float(np.median([s.plan_seconds for s in self.steps])),
        }


def planning() -> dict[str, Any]:
    """The planner's settings in the arm's parameter file."""
    path = find(f"config/{ROBOT}.yaml")
    if path is None:
        raise UserError(f"no config/{ROBOT}.yaml")
    parameters = read_yaml(path)[f"/{ROBOT}/controller"]["ros__parameters"]
    settings: dict[str, Any] = parameters["planner"]
    return settings


def run_reach(
    robot: Robot,
    loaded: LoadedModel,
    what: Reaching,
    method: str | None = None,
    settings: Mapping[str, Any] | None = None,
    controller: str = "mppi",
) -> Reached:
    """One episode with a loaded model; ends early when safety stops the arm."""
    task = BringPoints(robot, what.goal)
    period = robot.spec.period
    with make_arm(robot, what.physics, (what.fault,), what.seed) as plant:
        loop = ControlLoop(
            plant,
            StateEstimator(robot),
            OnlineDynamics(loaded.model, make_guard(loaded, method)),
            Controller(
                robot,
                make_planner(
                    controller, robot.spec, **(planning() if settings is None else settings)
                ),
                task,
                Generator().manual_seed(what.seed),
            ),
            SafetyMonitor(robot, SafetyConfig(start_updates=1)),
        )
        times, distances = [], []
        steps: list[Step] = []
        for k in range(round(what.duration / period)):
            error = (plant.world.points() - what.goal).reshape(3, 3)
            times.append(k * period)
            distances.append(np.linalg.norm(error, axis=1))
            steps.append(loop.step(period))
            if steps[-1].checked.level == Level.LATCHED:
                break
    return Reached(np.array(times), np.array(distances), tuple(steps))


@dataclass(frozen=True)
class Compare:
    """Methods over the same goals: medians of the largest of the three distances at the end."""

    methods: tuple[str, ...] = ("mb", "grbal", "bayes_context", "bayes_context_de")
    """The first is the one to compare with."""
    faults: tuple[str, ...] = ("none", "payload", "weak_shoulder_lift", "weak_elbow", "push")
    """Present from the start."""
    seeds: int = 10
    """Goals, each with a start of its own."""
    first_seed: int = 0
    """Of the goals."""
    duration: float = 8.0
    """Of each episode [s]."""
    models: Path | None = None
    """Folder of the models, one folder each; default: models/pr2_arm."""


def compare(arguments: Compare) -> list[dict[str, Any]]:
    """A row for every method, fault and seed. Raises UserError."""
    if arguments.seeds < 1 or arguments.first_seed < 0 or not arguments.duration >= SETTLED:
        raise UserError(f"expected seeds >= 1, first seed >= 0 and {SETTLED:g} s or more")
    faults = [ArmFault(name) for name in arguments.faults]
    torch.set_num_threads(1)
    robot = make_robot(ROBOT)
    rows: list[dict[str, Any]] = []
    for method in arguments.methods:
        loaded = load_model(_folder(arguments.models, method), robot)
        for fault in faults:
            for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
                what = Reaching(seed, fault, duration=arguments.duration)
                reached = run_reach(robot, loaded, what, method)
                named = {"method": method, "fault": fault.name, "seed": seed}
                rows.append({**named, **reached.summary()})
    return rows


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: a line a fault, a column a method: median final distance, share within 3 cm."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    lines = [f"| fault | {' | '.join(methods)} |", "|---|" + "---|" * len(methods)]
    for fault in dict.fromkeys(row["fault"] for row in rows):
        cells = [fault]
        for method in methods:
            mine = [r for r in rows if r["method"] == method and r["fault"] == fault]
            final = np.array([row["final_m"] for row in mine])
            within = int((final < REACHED).sum())
            cells.append(f"{1e3 * np.median(final):.1f} mm ({within}/{len(final)})")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _folder(models: Path | None, method: str) -> Path:
    """Where the method's model is: its own, or one that it can run on."""
    if models is not None:
        own = models / method
        return own if own.is_dir() else models / trained_as(method)
    name = f"models/{ROBOT}/{method}"
    found = find(name) or find(f"models/{ROBOT}/{trained_as(method)}")
    if found is None:
        raise UserError(f"no model for method '{method}': expected {name}")
    return found


def main() -> None:
    """Prints the table."""
    try:
        print(table(compare(tyro.cli(Compare, prog="reach"))))
    except UserError as error:
        print(f"reach: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
