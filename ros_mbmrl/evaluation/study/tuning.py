"""Test-time settings of the methods that have any, chosen on validation situations in closed loop.

A baseline counts only when it was tuned, and what it was tuned on must not be what it is judged on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ros_mbmrl.dynamics.files import load_model, save_model
from ros_mbmrl.episodes.batch import run_episodes
from ros_mbmrl.evaluation.study.agents import model_agent
from ros_mbmrl.evaluation.study.description import Scale
from ros_mbmrl.evaluation.study.studies import make_study
from ros_mbmrl.evaluation.study.worlds import period_of, situations_of, worlds_of
from ros_mbmrl.learning.tune import grid_of
from ros_mbmrl.methods import about
from ros_mbmrl.robots import make_robot
from ros_mbmrl.runtime.kept import key_of
from ros_mbmrl.simulation.distributions import VALIDATION

FIRST_SEED = 500  # of validation episodes: no test episode has these
Row = dict[str, Any]


@dataclass(frozen=True)
class Tuning:
    """One candidate setting of a method on the model of one training seed: a job."""

    study: str
    scale: Scale
    method: str
    options: tuple[tuple[str, float], ...]
    folder: Path
    digest: str

    @property
    def key(self) -> str:
        """Hash of all that decides the outcome."""
        what = self.method, self.options, self.digest
        return key_of("tuning", self.study, self.scale, what)


def candidates(method: str) -> list[tuple[tuple[str, float], ...]]:
    """Return the coarse grid of a method's test-time settings; nothing where it has none."""
    grid = grid_of(method)
    chosen = grid.all_options(coarse=True) if grid.options else []
    return [tuple(options.items()) for options in chosen]


def score(job: Tuning) -> tuple[str, Row]:
    """The job's key, and its mean return over validation situations."""
    study = make_study(job.study)
    scale = job.scale
    steps = scale.training.steps
    seeds = list(range(FIRST_SEED, FIRST_SEED + scale.tuning_episodes))
    names, seconds = tuple(VALIDATION[study.name]), steps * period_of(study)
    situations = situations_of(study, names, seeds, seconds, VALIDATION)
    every = seeds * len(names)
    loaded = load_model(job.folder, make_robot(study.robot))
    card = {**loaded.card, "method": job.method, "options": dict(job.options)}
    agent = model_agent(scale, replace(loaded, card=card), job.method)
    episodes = run_episodes(worlds_of(study, situations, every), agent, steps, every)
    returns = episodes.rewards.sum(axis=0)
    row = {"method": job.method, **dict(job.options), "return": float(returns.mean())}
    assert episodes.diagnostics is not None  # it is an agent with a model
    return job.key, {**row, "error": float(episodes.diagnostics.error_after.mean())}


def derive(
    base: Path,
    folder: Path,
    robot_name: str,
    method: str,
    options: Mapping[str, Any],
    record: list[Row],
) -> None:
    """Writes the model folder of a method that runs on another's model."""
    loaded = load_model(base, make_robot(robot_name))
    kept = ("adapt_window", "adapt_windows", "predict_window", "horizon", "guard", "seed", "scores")
    facts = {name: loaded.card[name] for name in (*kept, "data", "training")}
    facts |= {"method": method, "options": dict(options), "trained_as": about(method).trained_as}
    save_model(folder, loaded.model, loaded.parameters, {**facts, "tuning": record}, loaded.value)
