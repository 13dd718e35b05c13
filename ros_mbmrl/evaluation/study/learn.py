"""Algorithm 9 of the thesis on many robots at once: gather, fit, follow the model, fit again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from ros_mbmrl.adaptation.guard import GuardConfig
from ros_mbmrl.control_batch import Episodes, run_episodes
from ros_mbmrl.data import dataset
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel, load_model, save_model
from ros_mbmrl.evaluation.study.agents import model_agent
from ros_mbmrl.evaluation.study.description import Scale, Study, Training, key_of
from ros_mbmrl.evaluation.study.studies import ORACLE, make_study
from ros_mbmrl.robots import make_robot
from ros_mbmrl.training.batch_collection import rollouts_of
from ros_mbmrl.training.config import TrainConfig
from ros_mbmrl.training.meta import Trainer, new_model
from ros_mbmrl.training.segments import Transitions
from ros_mbmrl.twin.distributions import TEST, TRAINING, arm_force
from ros_mbmrl.twin.situations import Situation
from ros_mbmrl.twin.worlds import RandomActions, make_worlds

HELD_OUT = 0.15  # of the rollouts of a round, to validate on
CURVE_SEEDS = 5000  # episodes of the learning curve; no test episode has these

Row = dict[str, Any]
Draw = Callable[[Generator], Situation]


@dataclass(frozen=True)
class Learning:
    """One model to be learned: a job.

    condition: the only one that an oracle sees. window: T1 = T2 in place of the scale's; force: the
    largest of the training's [N]; both of variations (figures 48 and 47).
    """

    study: str
    scale: str
    method: str
    train_seed: int
    out: Path
    condition: str = ""
    window: int = 0
    force: float | None = None

    @property
    def name(self) -> str:
        """Of its folder: what it is, whatever the seed."""
        what = f"-{self.condition}" if self.condition else ""
        what += f"-window-{self.window}" if self.window else ""
        return self.method + what + ("" if self.force is None else f"-force-{self.force:g}")

    @property
    def folder(self) -> Path:
        """Where the model is when it has been learned."""
        return self.out / "models" / self.name / str(self.train_seed)

    @property
    def key(self) -> str:
        """Hash of all that decides the outcome."""
        study = make_study(self.study)
        variation = self.condition, self.window, self.force
        return key_of("learn", study.name, study.at(self.scale), self.name, variation, self.train_seed)

    @property
    def trained(self) -> str:
        """The method that it is trained as."""
        return "mb" if self.method == ORACLE else self.method

    def training(self, scale: Scale) -> Training:
        """Its size, with the variation's window."""
        size = scale.oracle if self.condition else scale.training
        if not self.window:
            return size
        return replace(size, adapt_window=self.window, predict_window=self.window)


def learn(job: Learning) -> tuple[str, Row]:
    """Algorithm 9: the job's key, and the learning curve with the model's scores."""
    study = make_study(job.study)
    scale = study.at(job.scale)
    size, robot = job.training(scale), make_robot(study.robot)
    # Every method of a training seed meets the same robots, and the same random actions first.
    rng = np.random.default_rng([job.train_seed, 9])
    gathered: list[Rollout] = []
    curve: list[Row] = []
    loaded: LoadedModel | None = None
    for k in range(size.rounds):
        episodes, situations = _gather(job, study, scale, size, loaded, rng)
        gathered += rollouts_of(robot, episodes, situations, f"round-{k}")
        loaded = _fit(job, size, gathered, loaded, k)
        curve += _curve(job, study, scale, loaded, size.runs * size.steps * (k + 1))
    assert loaded is not None
    return job.key, {"name": job.name, "train_seed": job.train_seed, "curve": curve,
                     "scores": dict(loaded.card["scores"])}


def draw_of(job: Learning) -> Draw:
    """What the robots that it is trained on are put into."""
    if job.condition:
        seconds = make_study(job.study).at(job.scale).oracle.steps * period_of(job.study)
        condition = TEST[job.study][job.condition]
        return lambda rng: condition(rng, seconds)
    if job.force is not None:
        largest = job.force
        return lambda rng: arm_force(rng, largest)
    return TRAINING[job.study]


def period_of(study: str) -> float:
    """Control period of the study's robot [s]."""
    return make_robot(make_study(study).robot).spec.period


def _gather(
    job: Learning,
    study: Study,
    scale: Scale,
    size: Training,
    loaded: LoadedModel | None,
    rng: Generator,
) -> tuple[Episodes, Sequence[Situation]]:
    """Algorithm 9, lines 3 to 7: rollouts of a round, of random actions while there is no model."""
    draw = draw_of(job)
    situations = [draw(rng) for _ in range(size.runs)]
    seeds = [int(seed) for seed in rng.integers(2**30, 2**31, size.runs)]
    worlds = make_worlds(study.robot, situations, seeds)
    agent = RandomActions() if loaded is None else model_agent(study, scale, loaded, job.trained)
    return run_episodes(worlds, agent, size.steps, seeds), situations


def _fit(
    job: Learning, size: Training, gathered: Sequence[Rollout], before: LoadedModel | None, k: int
) -> LoadedModel:
    """Lines 8 to 15, on all there is so far, from where the last round ended."""
    robot = make_robot(make_study(job.study).robot)
    training, held = dataset.split(gathered, by="session", held_out=HELD_OUT, seed=job.train_seed)
    config = TrainConfig(
        method=job.trained,
        hidden=size.hidden,
        activation=size.activation,
        adapt_windows=tuple(sorted({max(1, size.adapt_window // 2), size.adapt_window})),
        predict_window=size.predict_window,
        supervised_steps=size.supervised_steps,
        meta_steps=size.meta_steps,
        batch=size.segments,
        learning_rate=size.learning_rate,
        weight_decay=size.weight_decay,
        validate_every=max(1, size.meta_steps // 4 or size.supervised_steps // 4),
        horizon=min(8, size.predict_window),
        seed=job.train_seed,
    )
    data, validation = Transitions.of(robot, training), Transitions.of(robot, held)
    model = new_model(data, config, robot)
    warm = None if before is None else dict(before.parameters)
    trained = Trainer(model, config, data, validation, parameters=warm).run()
    window, guard = size.adapt_window, GuardConfig(min_transitions=min(6, size.adapt_window))
    facts = {
        "method": job.trained,
        "options": {},
        "adapt_window": window,
        "adapt_windows": list(config.adapt_windows),
        "predict_window": config.predict_window,
        "horizon": config.horizon,
        "guard": {"folds": guard.folds, "min_transitions": guard.min_transitions},
        "seed": job.train_seed,
        "scores": {name: round(value, 5) for name, value in trained.scores.items()},
        "data": [{"name": f"{job.study} round {j}", "runs": size.runs} for j in range(k + 1)],
        "training": {**asdict(size), "hidden": list(size.hidden)},
    }
    save_model(job.folder, trained.model, trained.parameters, facts)
    return load_model(job.folder, robot)


def _curve(
    job: Learning, study: Study, scale: Scale, loaded: LoadedModel, transitions: int
) -> list[Row]:
    """Figure 32: mean return on each test condition with the model of this round."""
    steps = scale.training.steps
    conditions = [job.condition] if job.condition else study.conditions
    agent = model_agent(study, scale, loaded, job.trained)
    rows = []
    seeds = list(range(CURVE_SEEDS, CURVE_SEEDS + scale.curve_episodes))
    situations = [
        TEST[study.name][name](np.random.default_rng([seed, 7]), steps * period_of(study.name))
        for name in conditions
        for seed in seeds
    ]
    worlds = make_worlds(study.robot, situations, seeds * len(conditions))
    returns = run_episodes(worlds, agent, steps, seeds * len(conditions)).rewards.sum(axis=0)
    for name, own in zip(conditions, returns.reshape(len(conditions), -1), strict=True):
        rows.append(
            {
                "method": job.method,
                "train_seed": job.train_seed,
                "transitions": transitions,
                "condition": name,
                "return": float(own.mean()),
            }
        )
    return rows
