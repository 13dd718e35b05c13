"""Closed-loop experiment on the twin of a robot of a file: each of its faults, each seed, as jobs.

Every method meets the same robots. Each condition and seed has a robot of its own, so that
episodes are independent of each other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ros_mbmrl import __version__
from ros_mbmrl.adaptation.guard import GuardConfig
from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.episodes.described import NONE, TwinEpisode, TwinScenario, run_twin
from ros_mbmrl.episodes.single import planned_with
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.evaluation import campaign
from ros_mbmrl.evaluation.campaign import Entrant, Row
from ros_mbmrl.evaluation.statistics import CROSS_TRACK, MEANS, Figure
from ros_mbmrl.planning import PLANNERS
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.described.known import described
from ros_mbmrl.robots.described.twin_reading import read_twin
from ros_mbmrl.robots.path_following import SPEED
from ros_mbmrl.robots.paths import make_path
from ros_mbmrl.simulation.model_files import digest_of
from ros_mbmrl.simulation.simulated import make_simulation
from ros_mbmrl.simulation.situations import Factors, Terrain

COST = Figure(
    "cost_after_fault", "cost_after_fault_interval", "cost a step", digits=".3g", trace="cost"
)


@dataclass(frozen=True)
class TwinExperiment:
    """Every method on each of the robot's conditions and seeds, doing one task.

    Args:
        robot: its name.
        goal: name of the task, or of the path.
        faults: conditions: names of the file, or none.
        at: when they begin [s].
        duration: of an episode [s].
        seeds: of the episodes of a condition.
        speed: along the path [m/s].

    Raises:
        UserError: the robot has no twin, no such task or fault; or there is nothing to run.
    """

    robot: str
    goal: str
    faults: tuple[str, ...]
    at: float
    duration: float
    seeds: tuple[int, ...]
    speed: float = SPEED

    def __post_init__(self) -> None:
        for fault in self.faults:
            choose("fault", fault, (*faults_of(self.robot), NONE))
        robot = make_robot(self.robot)
        choose("task", self.goal, robot.tasks())
        period, lasts = robot.spec.period, self.duration
        if robot.follows_paths:  # the fault must begin before the path ends
            lasts = min(lasts, make_path(self.goal).length / self.speed)
        if not period <= self.at <= lasts - period:
            raise UserError(
                f"at: expected {period:g} s to {lasts - period:.4g} s, within the episode or the "
                f"path, got {self.at:g}"
            )
        if not self.seeds or min(self.seeds) < 0:
            raise UserError(f"expected seeds >= 1, first seed >= 0, got {list(self.seeds)}")

    @property
    def figure(self) -> Figure:
        """Return what methods are compared by: distance from the path, or what the task costs."""
        return CROSS_TRACK if make_robot(self.robot).follows_paths else COST

    @property
    def before(self) -> str:
        """Return the key of the same figure before the fault."""
        on_path = self.figure is CROSS_TRACK
        return "cross_track_before_fault_m" if on_path else "cost_before_fault"

    def means(self, rows: Sequence[Row]) -> list[str]:
        """Return the keys of the other figures, those that all rows have."""
        keys = (self.before, *MEANS)
        return [key for key in keys if all(row.get(key) is not None for row in rows)]

    def jobs(self, field: Sequence[Entrant], controller: str = "") -> list[TwinJob]:
        """Return all episodes; entrants innermost, so that those of a broken run can be compared.

        controller: see `TwinJob`.
        """
        twin = _twin_digest(self.robot)
        return [
            TwinJob(entrant, self._scenario(fault, seed), seed, twin, controller)
            for seed in self.seeds
            for fault in self.faults
            for entrant in field
        ]

    def _scenario(self, fault: str, seed: int) -> TwinScenario:
        rng = np.random.default_rng([seed, *f"{fault}/{self.goal}".encode()])
        drawn = int(rng.integers(2**31))
        return TwinScenario(self.goal, self.speed, fault, self.at, self.duration, drawn)


@dataclass(frozen=True)
class TwinJob:
    """One episode of one entrant.

    Args:
        entrant: who takes part.
        scenario: the episode.
        seed: its number in the experiment.
        twin: hash of the robot's file and of its compiled model.
        controller: name of the planner; empty: the robot's own.
    """

    entrant: Entrant
    scenario: TwinScenario
    seed: int
    twin: str
    controller: str = ""

    @property
    def key(self) -> str:
        """Return a hash of everything that decides the outcome."""
        planned = planned_with(make_robot(self.entrant.robot), self.controller)
        decided = planned, str(PLANNERS.entry(planned[0])), asdict(GuardConfig())
        own = self.entrant.digest, self.twin, asdict(self.scenario), self.seed
        text = json.dumps([__version__, *own, *decided], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def faults_of(robot: str) -> tuple[str, ...]:
    """Return what the file of a robot says that can fail. Raises UserError without a twin."""
    description = described()[robot]
    if description.twin is None:
        raise UserError(f"{description.file}: expected a section `twin`, to evaluate it on")
    return tuple(read_twin(description).faults)


def conditions_of(robot: str) -> tuple[str, ...]:
    """Return none, and the faults that a robot's file names; if it names none, every command's.

    Raises UserError for a robot without a twin.
    """
    every, section = faults_of(robot), described()[robot].twin
    own = {} if section is None else section.items()
    named = own["faults"].items() if "faults" in own else ()
    return (NONE, *(tuple(name for name in every if name in named) or every))


def run(jobs: Sequence[TwinJob], out: Path, workers: int = 2, cluster: str = "") -> list[Row]:
    """Return the rows of all jobs, in their order. See `campaign.run`."""
    known = campaign.finish(jobs, run_job, out, workers, cluster)
    return [{**known[job.key], "method": job.entrant.method} for job in jobs]


def run_job(job: TwinJob) -> tuple[str, Row]:
    """Run one episode; return its key and its row."""
    robot, scenario = make_robot(job.entrant.robot), job.scenario
    episode = run_twin(robot, load_model(job.entrant.folder, robot), scenario, job.controller)
    row = {
        "method": job.entrant.method,
        "train_seed": job.entrant.train_seed,
        "condition": scenario.fault,
        "task": "" if robot.follows_paths else scenario.goal,
        "path": scenario.goal if robot.follows_paths else "",
        "seed": job.seed,
        "counted_from_s": scenario.at,
        "lasted_s": len(episode.times) * robot.spec.period,
        **episode.summary(),
        "trace": _trace(episode),
    }
    return job.key, row


def _trace(episode: TwinEpisode) -> dict[str, list[float]]:
    """Return the rounded data for plots: what it cost, and errors over time."""
    reports = [step.adapted.report for step in episode.steps]
    columns: dict[str, Any] = {
        "time": episode.times,
        "cost": episode.costs,
        "error_prior": [report.error_before for report in reports],
        "error_adapted": [report.error_after for report in reports],
    }
    if episode.cross_track is not None:
        columns["cross_track"] = episode.cross_track
    return {name: [float(f"{v:.5g}") for v in values] for name, values in columns.items()}


def _twin_digest(robot: str) -> str:
    """Return a hash of the robot's file and of its compiled model. Raises UserError."""
    digest = hashlib.sha256(described()[robot].text.encode())
    model = make_simulation(robot).model(Terrain(), Factors())
    digest.update(digest_of(model).encode())
    return digest.hexdigest()
