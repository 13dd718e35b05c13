"""Judging of models and policies: returns on test conditions, errors on common trajectories."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ros_mbmrl.adaptation.guard import make_guard
from ros_mbmrl.data import dataset, selection
from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.episodes.batch import Episodes, run_episodes
from ros_mbmrl.evaluation.study.agents import make_agent
from ros_mbmrl.evaluation.study.description import Scale
from ros_mbmrl.evaluation.study.diagnosis import DIAGNOSIS, diagnose
from ros_mbmrl.evaluation.study.reaction import BY_WINDOW, by_window
from ros_mbmrl.evaluation.study.studies import make_study, tells_causes
from ros_mbmrl.evaluation.study.worlds import period_of, situations_of, worlds_of
from ros_mbmrl.learning.batch_collection import rollouts_of
from ros_mbmrl.learning.open_loop import open_loop_errors
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.runtime.kept import key_of
from ros_mbmrl.safety.types import Level
from ros_mbmrl.simulation.situations import Situation

Row = dict[str, Any]


@dataclass(frozen=True)
class Trial:
    """One method and training seed on test conditions: a job.

    folder: of its model, the oracle's and the model-free ones' included; digest: of what is in it.
    common: keep the rollouts, as common ground on which errors are compared.
    """

    study: str
    scale: Scale
    method: str
    train_seed: int
    conditions: tuple[str, ...]
    first_seed: int
    episodes: int
    out: Path
    folder: Path | None = None
    digest: str = ""
    common: bool = False

    @property
    def key(self) -> str:
        """Hash of all that decides the outcome."""
        what = self.method, self.train_seed, self.conditions, self.digest, self.common
        episodes = self.first_seed, self.episodes
        return key_of("trial", self.study, self.scale, what, episodes)


def begin_of(situation: Situation) -> float:
    """When the change comes [s]: the first fault or force that is not there from the start."""
    begins = [fault.begin for fault in situation.faults if fault.begin > 0]
    if any(situation.force) and situation.force_begin > 0:
        begins.append(situation.force_begin)
    return min(begins, default=0.0)


def judge(job: Trial) -> tuple[str, Row]:
    """Runs the episodes: the job's key, and a row an episode."""
    study = make_study(job.study)
    scale = job.scale
    period, steps = period_of(study), scale.training.steps
    # The same for every method and training seed: paired.
    seeds = list(range(job.first_seed, job.first_seed + job.episodes))
    situations = situations_of(study, job.conditions, seeds, steps * period)
    every = seeds * len(job.conditions)
    named = [condition for condition in job.conditions for _ in seeds]
    worlds = worlds_of(study, situations, every)
    agent = make_agent(study, scale, job.method, job.folder or Path(), worlds)
    episodes = run_episodes(worlds, agent, steps, every)
    if job.common:
        rollouts = rollouts_of(worlds, episodes, job.method, named)
        dataset.save(job.out / "common" / job.method, rollouts)
    truth = worlds.effectiveness(steps) if tells_causes(study) else None
    rows = [
        {
            "method": job.method,
            "train_seed": job.train_seed,
            "condition": named[n],
            "path": study.task,
            "seed": every[n],
            **_figures(episodes, n, begin_of(situations[n]), period),
            **_diagnosed(episodes, n, begin_of(situations[n]), period, truth),
        }
        for n in range(len(every))
    ]
    return job.key, {"rows": rows}


def _figures(episodes: Episodes, n: int, begin: float, period: float) -> Row:
    """Return the figures of robot n; without those of a model where the agent has none.

    begin: when the change comes [s]. period: of the robot's control [s].
    """
    rewards, told = episodes.rewards[:, n], episodes.diagnostics
    after = min(round(begin / period), len(rewards) - 1)
    figures: Row = {
        "return": float(rewards.sum()),
        "return_after": float(rewards[after:].mean() * len(rewards)),
        BY_WINDOW: by_window(rewards / period, begin, period),
    }
    if told is not None:
        figures["prediction_error_prior"] = float(told.error_before[:, n].mean())
        figures["prediction_error_adapted"] = float(told.error_after[:, n].mean())
        figures["accepted_fraction"] = float(told.accepted[:, n].mean())
    return {**figures, "safety_stops": int((episodes.levels[:, n] == Level.LATCHED).any())}


def _diagnosed(episodes: Episodes, n: int, begin: float, period: float, truth: Array | None) -> Row:
    """Return how right robot n's diagnosis was, of an agent that makes one, where that is known."""
    told, lasted = episodes.diagnostics, int(episodes.lasted[n])
    if truth is None or told is None or told.effectiveness is None:
        return {}
    inferred = told.effectiveness[:lasted, n]
    return {DIAGNOSIS: diagnose(inferred, truth[:lasted, n], begin, period)}


@dataclass(frozen=True)
class Prediction:
    """How well a model predicts what others drove, before and after its update: a job."""

    study: str
    scale: Scale
    method: str
    train_seed: int
    out: Path
    folder: Path
    digest: str
    grounds: str  # digest of the rollouts

    @property
    def key(self) -> str:
        """Hash of all that decides the outcome."""
        what = self.method, self.train_seed, self.digest, self.grounds
        return key_of("prediction", self.study, self.scale, what)


def predict(job: Prediction) -> tuple[str, Row]:
    """Judges the model on the common ground: the job's key, and one record a condition."""
    study = make_study(job.study)
    scale, robot = job.scale, make_robot(study.robot)
    loaded = load_model(job.folder, robot)
    guard = make_guard(loaded, job.method)
    rollouts = dataset.load(sorted(path for path in (job.out / "common").iterdir()))
    records = []
    for condition in study.conditions:
        own = selection.select(rollouts, condition=[condition])
        data = Transitions.of(loaded.model.robot, own)
        errors = open_loop_errors(
            loaded.model, guard, data, scale.error_horizon, stride=scale.error_stride
        )
        lengths = np.cumsum([0, *(len(r) for r in own)])
        which = data.rollout[errors.rows].numpy()
        # Several methods drove in each situation: what they did there is no two rollouts apart.
        episodes = np.array([int(r.tags["session"].rpartition("-")[2]) for r in own])
        records.append(
            {
                "method": job.method,
                "train_seed": job.train_seed,
                "condition": condition,
                "before": _rounded(errors.normalised[0].mean(dim=1).numpy()),
                "after": _rounded(errors.normalised[1].mean(dim=1).numpy()),
                "rollout": which.tolist(),
                "episode": episodes[which].tolist(),
                "time": _rounded((errors.rows.numpy() - lengths[which]) * robot.spec.period),
            }
        )
    return job.key, {"records": records}


def _rounded(values: Array) -> list[float]:
    return [round(float(value), 4) for value in values]
