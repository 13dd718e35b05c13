"""One policy trained up to one point of its learning curve, and judged there: a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from time import perf_counter
from typing import Any

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.policies import new_tasks
from ros_mbmrl.evaluation.policies.description import EPISODES, Entry, Kind, Scale, Settings
from ros_mbmrl.evaluation.policies.judge import Judged, judge
from ros_mbmrl.evaluation.policies.planned import planned_returns, plans
from ros_mbmrl.learning.policies.benchmarks import benchmark_tasks
from ros_mbmrl.learning.policies.gssm_config import ContextualConfig
from ros_mbmrl.learning.policies.mb_mpo_config import MBMPOConfig
from ros_mbmrl.learning.policies.plasticity import grid, plasticity_of
from ros_mbmrl.learning.policies.simulated_tasks import HORIZONS, simulated_tasks
from ros_mbmrl.learning.policies.training import PolicyMethod, updated
from ros_mbmrl.learning.run import silent
from ros_mbmrl.methods import make_method
from ros_mbmrl.plugins import expected, imported
from ros_mbmrl.policies.adapt import InnerConfig
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import ImaginedPoint, TrainedPolicy
from ros_mbmrl.runtime.kept import key_of
from ros_mbmrl.simulation.benchmarks import BENCHMARKS
from ros_mbmrl.simulation.held_out import HELD_OUT, held_out
from ros_mbmrl.simulation.points import POINTS

Row = dict[str, Any]
GRID = 21  # states along each axis of figure 11


@dataclass(frozen=True)
class Training:
    """A policy up to a point of its curve; it goes on from the checkpoint of the point before.

    Args:
        scale: sizes.
        entry: method and its own settings.
        environment: where it learns and is judged.
        train_seed: of all that is drawn.
        point: real transitions in all.
        out: folder of the study.
    """

    scale: Scale
    entry: Entry
    environment: str
    train_seed: int
    point: int
    out: Path

    @property
    def folder(self) -> Path:
        """Return the folder of the checkpoint, the same for all points of a curve."""
        return self.out / self.environment / self.entry.name / str(self.train_seed)

    @property
    def key(self) -> str:
        """Return a hash of all that decides the outcome."""
        own = (self.entry.method, self.config, self.environment)
        planned = (self.planned,) if self.planned else ()
        return key_of("policy", *own, self.scale.tests, self.scale.first_test, *planned)

    @property
    def planned(self) -> int:
        """Return how many tests are also run with a plan: only at the end of a curve."""
        models = self.entry.kind is Kind.OFF_MODELS
        last = self.point == self.scale.points[self.entry.kind][-1]
        return min(self.scale.planned, self.scale.tests) if models and last else 0

    @property
    def method(self) -> PolicyMethod:
        """Return how the policy is trained. Raises UserError if that is not as expected."""
        value = make_method(self.entry.method).learner
        method = imported(value)
        expected(value, "a PolicyMethod", isinstance(method, PolicyMethod), method)
        assert isinstance(method, PolicyMethod)
        return method

    @property
    def config(self) -> Any:
        """Return the configuration. Raises UserError for settings that the method does not take."""
        horizon = horizon_of(self.environment)
        try:
            config = self.method.configured(self.train_seed, {"horizon": horizon})
            for settings in self._settings(horizon):
                config = updated(config, settings)
        except (TypeError, ValueError) as error:  # a UserError is a ValueError
            where = f"{self.entry.name} on {self.environment}"
            raise UserError(f"{where}: {error}") from None
        return config

    def _settings(self, horizon: int) -> list[Settings]:
        """Return the settings, those that win last."""
        kind, scale = self.entry.kind, self.scale
        batch: Mapping[str, Any] = {}
        if kind in EPISODES and kind in scale.batch:
            batch = {EPISODES[kind]: max(2, scale.batch[kind] // horizon)}
        special = scale.special.get(self.environment, {}).get(kind, {})
        own = (batch, scale.settings.get(kind, {}), special, self.entry.settings)
        return [*own, {"budget": self.point}]


def train(job: Training) -> tuple[str, Row]:
    """Train the policy up to the job's point, and judge it there; return the key and the row.

    The row: method (the entry's name), train_seed, condition (the environment), transitions (those
    of whole iterations), return (mean of `returns`, a number a test), return_before (of one that
    adapts, before it does), return_exploring (of the last iteration's own episodes), seconds (of
    this point's training), returns_planned (see `planned_returns`); of one that learns in models
    imagined, optimism, updates, improved; of points on a plane paths, and plasticity of MB-MPO
    there; of one that learns in a contextual model error_random and error_own (`new_tasks`).

    Raises:
        UserError: the checkpoint is beyond the point, whose row must have been lost.
    """
    config, begin = job.config, perf_counter()
    tasks = tasks_of(job.environment)
    trained = job.method.train(tasks, config, job.folder, silent)
    seconds, reached = perf_counter() - begin, trained.curve[-1].transitions
    if reached > max(job.point, config.batch) + config.batch / 2:
        raise UserError(
            f"{job.folder}: its checkpoint is at {reached} transitions, expected up to "
            f"{job.point}: remove that folder"
        )
    row: Row = {
        "method": job.entry.name,
        "train_seed": job.train_seed,
        "condition": job.environment,
        "seconds": seconds,
    }
    tests = tests_of(job.environment)
    if isinstance(config, ContextualConfig):
        found = new_tasks.judged(tests, trained, config, job.scale.tests, job.scale.first_test)
        return job.key, {**row, **found}
    inner = getattr(config, "inner", None) or InnerConfig(0, horizon=config.horizon)
    judged = judge(tests, trained, inner, job.scale.tests, job.scale.first_test)
    row |= figures_of(trained, judged)
    if job.planned and plans(trained):
        own = (config.horizon, job.scale.tests, job.scale.first_test, job.planned)
        row["returns_planned"] = planned_returns(tasks, trained, *own)
    if job.environment in POINTS:
        row["paths"] = judged.paths()
    if job.environment in POINTS and isinstance(config, MBMPOConfig):
        row["plasticity"] = plasticity(tasks, config, trained)
    return job.key, row


def figures_of(trained: TrainedPolicy, judged: Judged) -> Row:
    """Return the figures of a row that are of the end of a curve, and of its tests."""
    last, mean = trained.curve[-1], _mean(judged.returns)
    found: Row = {
        "transitions": last.transitions,
        "return": mean,
        "returns": judged.returns,
        "return_before": None if judged.before is None else _mean(judged.before),
        "return_exploring": last.mean_return,
    }
    if isinstance(last, ImaginedPoint):
        found["return_exploring"] = last.mean_return_before
        found |= {"imagined": last.imagined_return, "optimism": last.imagined_return - mean}
        found |= {"updates": last.updates, "improved": last.improved}
    return found


def plasticity(tasks: Tasks, config: MBMPOConfig, trained: TrainedPolicy) -> Row:
    """Return the map of figure 11 over the square that points begin in, as plain data."""
    start = POINTS[tasks.robot.spec.name].start
    found = plasticity_of(tasks, config, trained, grid(start, GRID))
    names = ("states", "divergence", "disagreement")
    plain = {name: getattr(found, name).round(6).tolist() for name in names}
    return {**plain, "correlation": found.correlation}


def horizon_of(environment: str) -> int:
    """Return the control periods of an environment's episodes."""
    return POINTS[environment].horizon if environment in POINTS else HORIZONS[environment]


def tasks_of(environment: str) -> Tasks:
    """Return the tasks of an environment. Raises UserError."""
    return (benchmark_tasks if environment in BENCHMARKS else simulated_tasks)(environment)


def tests_of(environment: str) -> Tasks:
    """Return the tasks of an environment to be judged on: those that nobody trains on, if any.

    They come one after the other, and again from the first.
    """
    tasks = tasks_of(environment)
    if environment not in HELD_OUT:
        return tasks
    following = cycle(held_out(environment))
    return replace(tasks, draw=lambda rng: next(following))


def _mean(values: tuple[float, ...]) -> float:
    return sum(values) / len(values)
