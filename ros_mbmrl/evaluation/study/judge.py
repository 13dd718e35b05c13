"""What learned models and policies are worth: returns on test conditions, errors on common ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ros_mbmrl.adaptation.guard import make_guard
from ros_mbmrl.control_batch import Agent, Episodes, run_episodes
from ros_mbmrl.data import dataset
from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.evaluation.open_loop import open_loop_errors
from ros_mbmrl.evaluation.study.agents import make_agent
from ros_mbmrl.evaluation.study.description import Scale, Study, key_of
from ros_mbmrl.evaluation.study.learn import period_of
from ros_mbmrl.evaluation.study.studies import ORACLE, SIMULATING, make_study
from ros_mbmrl.robots import make_robot
from ros_mbmrl.safety.types import Level
from ros_mbmrl.training.batch_collection import rollouts_of
from ros_mbmrl.training.segments import Transitions
from ros_mbmrl.twin.distributions import TEST
from ros_mbmrl.twin.situations import Situation
from ros_mbmrl.twin.worlds import make_worlds

Row = dict[str, Any]


@dataclass(frozen=True)
class Trial:
    """One method and training seed on test conditions: a job.

    folder: of its model, the oracle's and the model-free ones' included; digest: of what is in it.
    common: keep the rollouts, as common ground on which errors are compared.
    """

    study: str
    scale: str
    method: str
    train_seed: int
    conditions: tuple[str, ...]
    episodes: int
    out: Path
    folder: Path | None = None
    digest: str = ""
    common: bool = False

    @property
    def key(self) -> str:
        """Hash of all that decides the outcome."""
        what = self.method, self.train_seed, self.conditions, self.episodes, self.digest
        return key_of("trial", self.study, make_study(self.study).at(self.scale), what, self.common)


def situations_of(
    study: Study, conditions: Sequence[str], seeds: Sequence[int], seconds: float
) -> list[Situation]:
    """Condition by condition, a situation of every seed: the same ones for every method."""
    tests = TEST[study.name]
    return [
        tests[name](np.random.default_rng([seed, 7]), seconds)
        for name in conditions
        for seed in seeds
    ]


def begin_of(situation: Situation) -> float:
    """When the change comes [s]: the first fault or force that is not there from the start."""
    begins = [fault.begin for fault in situation.faults if fault.begin > 0]
    if any(situation.force) and situation.force_begin > 0:
        begins.append(situation.force_begin)
    return min(begins, default=0.0)


def judge(job: Trial) -> tuple[str, Row]:
    """Runs the episodes: the job's key, and a row an episode."""
    study = make_study(job.study)
    scale = study.at(job.scale)
    period, steps = period_of(job.study), scale.training.steps
    # Paired by method and condition; other training seeds meet other episodes.
    first = 1000 + 1000 * job.train_seed
    seeds = list(range(first, first + job.episodes))
    situations = situations_of(study, job.conditions, seeds, steps * period)
    every = seeds * len(job.conditions)
    agent = make_agent(study, scale, job.method, job.folder, situations)
    episodes = run_episodes(make_worlds(study.robot, situations, every), agent, steps, every)
    if job.common:
        rollouts = rollouts_of(make_robot(study.robot), episodes, situations, job.method)
        dataset.save(job.out / "common" / job.method, _tagged(rollouts, job, len(seeds)))
    rows = [
        {
            "method": job.method,
            "train_seed": job.train_seed,
            "condition": job.conditions[n // len(seeds)],
            "path": study.task,
            "seed": every[n],
            **_figures(episodes, n, begin_of(situations[n]) / period),
        }
        for n in range(len(every))
    ]
    return job.key, {"rows": rows}


def _figures(episodes: Episodes, n: int, begin: float) -> Row:
    rewards, accepted = episodes.rewards[:, n], episodes.accepted[:, n]
    after = min(round(begin), len(rewards) - 1)
    return {
        "return": float(rewards.sum()),
        "return_after": float(rewards[after:].mean() * len(rewards)),
        "prediction_error_prior": float(episodes.error_before[:, n].mean()),
        "prediction_error_adapted": float(episodes.error_after[:, n].mean()),
        "accepted_fraction": float(accepted.mean()),
        "safety_stops": int((episodes.levels[:, n] == Level.LATCHED).any()),
    }


@dataclass(frozen=True)
class Prediction:
    """How well one model predicts rollouts that others drove, before and after its update: a job."""

    study: str
    scale: str
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
        return key_of("prediction", self.study, make_study(self.study).at(self.scale), what)


def predict(job: Prediction) -> tuple[str, Row]:
    """Judges the model on the common ground: the job's key, and one record a condition."""
    study = make_study(job.study)
    scale, robot = study.at(job.scale), make_robot(study.robot)
    loaded = load_model(job.folder, robot)
    guard = make_guard(loaded, None if job.method == ORACLE else job.method)
    rollouts = dataset.load(sorted(path for path in (job.out / "common").iterdir()))
    records = []
    for condition in study.conditions:
        own = dataset.select(rollouts, fault=[condition])
        data = Transitions.of(robot, own)
        errors = open_loop_errors(loaded.model, guard, data, scale.error_horizon, stride=2)
        lengths = np.cumsum([0, *(len(r) for r in own)])
        which = data.rollout[errors.rows].numpy()
        records.append(
            {
                "method": job.method,
                "train_seed": job.train_seed,
                "condition": condition,
                "before": _rounded(errors.normalised[0].mean(dim=1).tolist()),
                "after": _rounded(errors.normalised[1].mean(dim=1).tolist()),
                "rollout": which.tolist(),
                "time": _rounded((errors.rows.numpy() - lengths[which]) * robot.spec.period),
            }
        )
    return job.key, {"records": records}


def can_predict(method: str) -> bool:
    """Whether there is a learned model to judge."""
    return method not in (ORACLE, *SIMULATING, "trpo", "maml_rl", "random")
