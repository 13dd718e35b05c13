"""Algorithm 9 of the thesis on many robots at once: gather, fit, follow the model, fit again.

A collector gathers, by a supervised fit that no study judges. Every method of the same training
seed, MB among them, goes on from its fit with as many steps of an objective of its own, on the
same rollouts. So they differ in what they learn from the data, not in the data nor in the steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.base import UpdateRule
from ros_mbmrl.agents.base import Agent
from ros_mbmrl.agents.chance import RandomAgent
from ros_mbmrl.data import dataset, selection
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel, load_model, save_model
from ros_mbmrl.dynamics.value import ValueFunction
from ros_mbmrl.episodes.batch import run_episodes
from ros_mbmrl.evaluation.study.agents import model_agent
from ros_mbmrl.evaluation.study.description import Scale, Study
from ros_mbmrl.evaluation.study.studies import make_study
from ros_mbmrl.evaluation.study.worlds import (
    period_of,
    situations_of,
    task_of,
    training_draw,
    worlds_of,
)
from ros_mbmrl.learning.batch_collection import collect
from ros_mbmrl.learning.card import facts_of
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.value import mean_return, value_of_rounds
from ros_mbmrl.learning.rounds import Data, fit_model, meta_train
from ros_mbmrl.learning.sizes import Training
from ros_mbmrl.methods import about
from ros_mbmrl.methods.built_in import COLLECTOR
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.conditioned import ConditionedRobot
from ros_mbmrl.robots.task import is_stationary
from ros_mbmrl.runtime.device import choose_device
from ros_mbmrl.runtime.kept import key_of
from ros_mbmrl.simulation.distributions import (
    CHANGES,
    TEST,
    TRAINING_SEEDS,
    Draw,
    draw_seed,
    push_up_to,
)

# Section E.5: "a single gradient step for the update rule of GrBAL".
OPTIONS: Mapping[str, Mapping[str, Any]] = MappingProxyType({"grbal": {"steps": 1}})
SPLIT: Mapping[str, Any] = MappingProxyType({"held_out": 0.15, "seed": 0})  # to validate on
CURVE_SEED = 5000  # of the learning curve's first episode; no test episode has it

Row = dict[str, Any]


@dataclass(frozen=True)
class Learning:
    """One model to be learned: a job.

    condition: the only one that an oracle sees. window: T1 = T2 in place of the scale's (figure
    48). force: the largest of the training's [N] (figure 47).
    """

    study: str
    scale: Scale
    method: str
    train_seed: int
    out: Path
    condition: str = ""
    window: int = 0
    force: float | None = None

    @property
    def name(self) -> str:
        """Return the name of its folder, the same for every seed."""
        return self.method + self._ground + (f"-window-{self.window}" if self.window else "")

    @property
    def _ground(self) -> str:
        """Return the part of the name that says how its rollouts differ from the usual ones."""
        what = f"-{self.condition}" if self.condition else ""
        return what + ("" if self.force is None else f"-force-{self.force:g}")

    @property
    def folder(self) -> Path:
        """Return the folder of the finished model."""
        return self.out / "models" / self.name / str(self.train_seed)

    @property
    def data(self) -> Path:
        """Return the folder of its rollouts."""
        return self.out / "data" / f"seed-{self.train_seed}{self._ground}"

    @property
    def gathers(self) -> bool:
        """Tell whether it makes its rollouts itself, from the first supervised fit on."""
        return bool(self.condition) or self.method == COLLECTOR

    @property
    def collector(self) -> Learning:
        """Return the job whose rollouts it learns from, where it does not gather."""
        return replace(self, method=COLLECTOR, window=0)

    def round(self, k: int) -> Path:
        """Return the folder of the model of round `k`."""
        return self.folder / "rounds" / str(k)

    @property
    def key(self) -> str:
        """Return a hash of all that decides the outcome."""
        return key_of("learn", self.study, self.scale, self.name, self.train_seed)

    @property
    def trained(self) -> str:
        """Return the method that it is trained as."""
        return about(self.method).trained_as

    def size(self, scale: Scale) -> Training:
        """Return its size, with the variation's window."""
        size = scale.oracle if self.condition else scale.training
        if not self.window:
            return size
        return replace(size, adapt_window=self.window, predict_window=self.window)

    def draw(self, seconds: float) -> Draw:
        """Return the draw of situations that it is trained in, for `seconds`."""
        if self.condition:
            condition = TEST[self.study][self.condition]
            return lambda rng: condition(rng, seconds)
        if self.force is not None:
            largest = self.force
            return lambda rng: push_up_to(rng, largest)
        return training_draw(make_study(self.study))


def learn(job: Learning) -> tuple[str, Row]:
    """Run Algorithm 9; return the job's key, and the learning curve with the model's scores."""
    study, curve, gathered = make_study(job.study), list[Row](), list[Row]()
    size, robot = job.size(job.scale), make_robot(study.robot)

    def gather(k: int, loaded: LoadedModel | None) -> list[Rollout]:
        folder = job.data / f"round-{k}"
        if job.gathers:
            dataset.save(folder, _gather(job, study, size, loaded, k))
        rollouts = dataset.load([folder])
        if job.gathers and is_stationary(task_of(study)):
            row = {"train_seed": job.train_seed, "round": k, "transitions": size.transitions(k)}
            gathered.append({**row, "return": mean_return(task_of(study), rollouts)})
        return rollouts

    def fit(k: int, data: Data, before: LoadedModel | None) -> LoadedModel:
        if not job.gathers:
            before = load_model(job.collector.round(k), robot)
        loaded = _fit(job, size, data, before, k)
        if job.method != COLLECTOR and k in size.curve_rounds:
            curve.extend(_curve(job, study, job.scale, loaded, size.transitions(k)))
        return loaded

    split = partial(selection.split, by="session", **SPLIT)
    # Nothing hangs on the fits of who does not gather: they are points of the curve.
    fits = range(size.rounds + 1) if job.gathers else size.curve_rounds
    scores = dict(meta_train(size.rounds, gather, split, fit, fits).card["scores"])
    row = {"name": job.name, "train_seed": job.train_seed, "curve": curve, "gathered": gathered}
    return job.key, {**row, **scores}


def _gather(
    job: Learning, study: Study, size: Training, loaded: LoadedModel | None, k: int
) -> list[Rollout]:
    """Return the rollouts of a round, of random actions while there is no model."""
    rng = np.random.default_rng([job.train_seed, k, 9])
    draw, runs = job.draw(size.steps * period_of(study)), size.runs if k else size.random_runs
    situations = [draw(rng) for _ in range(runs)]
    seeds = [draw_seed(rng, TRAINING_SEEDS) for _ in range(runs)]
    robots = worlds_of(study, situations, seeds)
    agent: Agent = RandomAgent(size.steps)
    if loaded is not None:
        agent = model_agent(job.scale, loaded, job.trained)
    return collect(robots, agent, size.steps, seeds, f"round-{k}")


def options_of(job: Learning) -> Mapping[str, Any]:
    """Return the options of a job's update rule."""
    return OPTIONS.get(job.trained, {})


def rule_of_job(job: Learning) -> UpdateRule:
    """Return the update rule that a job's model is trained with."""
    return make_rule(job.trained, options_of(job))


def config_of(job: Learning, size: Training) -> TrainConfig:
    """Return the settings of a round's fit."""
    supervised, meta = not rule_of_job(job).meta_trained, size.meta_steps
    own = size.supervised_steps if job.gathers else meta * supervised
    return TrainConfig(
        method=job.trained,
        options=options_of(job),
        members=size.members,
        hidden=size.hidden,
        activation=size.activation,
        adapt_windows=tuple(sorted({max(1, size.adapt_window // 2), size.adapt_window})),
        predict_window=size.predict_window,
        supervised_steps=own,
        meta_steps=meta,
        batch=size.segments,
        learning_rate=size.learning_rate,
        weight_decay=size.weight_decay,
        validate_every=max(1, (own if supervised else meta) // 3),
        horizon=min(8, size.predict_window),
        seed=job.train_seed,
    )


def _fit(
    job: Learning, size: Training, data: Data, before: LoadedModel | None, k: int
) -> LoadedModel:
    """Fit and save the model of a round, from where the last one ended, or another's fit."""
    robot = make_robot(make_study(job.study).robot).as_modelled(size.features)
    if job.study in CHANGES and rule_of_job(job).labelled:  # data that do not tell are refused
        robot = ConditionedRobot(robot)
    config, device = config_of(job, size), choose_device(job.scale.device)
    trained = fit_model(robot, config, data, before, device=device)
    value = _value(job, size, before, k)
    facts = {
        **facts_of(config, trained.scores, max(4, min(6, size.adapt_window))),
        "data": [{"name": f"{job.study} {job.data.name} round {j}"} for j in range(k + 1)],
        "training": {**asdict(size), "hidden": [*size.hidden], "features": [*size.features]},
    }
    for folder in (job.round(k), job.folder):
        save_model(folder, trained.model, trained.parameters, facts, value)
    return load_model(job.folder, robot)


def _value(
    job: Learning, size: Training, before: LoadedModel | None, k: int
) -> ValueFunction | None:
    """Return the collector's value function after round `k`; who does not gather has the same."""
    known = None if before is None else before.value
    study = make_study(job.study)
    if not size.value or not job.gathers or not is_stationary(task_of(study)):
        return known
    rounds = [job.data / f"round-{j}" for j in range(1, k + 1)]
    robot = make_robot(study.robot).as_modelled(size.features)
    return value_of_rounds(robot, task_of(study), rounds, job.train_seed, known)


def _curve(
    job: Learning, study: Study, scale: Scale, loaded: LoadedModel, transitions: int
) -> list[Row]:
    """Return figure 32: mean return on each test condition with the model of this round."""
    steps, count = scale.training.steps, scale.curve_episodes
    conditions = [job.condition] if job.condition else list(study.conditions)
    seeds = list(range(CURVE_SEED, CURVE_SEED + count))
    situations = situations_of(study, conditions, seeds, steps * period_of(study))
    every = seeds * len(conditions)
    worlds = worlds_of(study, situations, every)
    agent = model_agent(scale, loaded, job.trained)
    returns = run_episodes(worlds, agent, steps, every).rewards.sum(axis=0)
    return [
        {
            "method": job.method,
            "train_seed": job.train_seed,
            "transitions": transitions,
            "condition": name,
            "return": float(own.mean()),
        }
        for name, own in zip(conditions, returns.reshape(len(conditions), -1), strict=True)
    ]
