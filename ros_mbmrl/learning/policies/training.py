"""Train a policy: as many iterations as its budget of transitions has room for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import Generator

from ros_mbmrl.errors import choose
from ros_mbmrl.learning.run import CHECKPOINT, Learner, Phase, Progress, Run, silent
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import CurvePoint, TrainedPolicy

GIVEN = ("method", "seed")  # settings that the command's arguments say
_KINDS: Mapping[type, str] = MappingProxyType(
    {bool: "true or false", int: "an integer", float: "a number", str: "a text", tuple: "a list"}
)


@dataclass(frozen=True)
class PolicyMethod:
    """The learning of a policy, as `Method.learner` names it.

    Args:
        config: a frozen dataclass with defaults: `budget`, `seed`, and either `horizon` or, of a
            policy that adapts, `inner`.
        train: the policy of tasks, a configuration, the folder of the checkpoint, and who is told
            of each iteration.
        across: whether, where no situations are named, it learns across the robot's first training
            distribution; else on the robot as it should be.
        learner: makes the `in_models.ModelLearner` of tasks and a configuration, whose update the
            asynchronous framework repeats; None: it has no asynchronous form.
    """

    config: Callable[..., Any]
    train: Callable[[Tasks, Any, Path | None, Progress], TrainedPolicy]
    across: bool = True
    learner: Callable[[Tasks, Any], Any] | None = None

    def configured(self, seed: int, settings: Mapping[str, Any]) -> Any:
        """Return the configuration; `horizon` among the settings is that of its episodes.

        Raises:
            UserError: an unknown setting.
            ValueError: a wrong value.
        """
        start, given = self.config(seed=seed), dict(settings)
        if hasattr(start, "inner") and "horizon" in given:
            start = updated(start, {"inner": {"horizon": given.pop("horizon")}})
        return updated(start, given)


def updated(config: Any, settings: Mapping[str, Any]) -> Any:
    """Return a frozen dataclass with other values; a mapping updates a dataclass within it."""
    known = [each.name for each in fields(config) if each.name not in GIVEN]
    values = {}
    for name, value in settings.items():
        choose("setting", name, known)
        before = getattr(config, name)
        if is_dataclass(before):
            if not isinstance(value, Mapping):
                raise ValueError(f"{name}: expected a mapping of settings, got {value!r}")
            value = updated(before, value)
        values[name] = tuple(value) if isinstance(value, list) else value
        _check_kind(name, values[name], before)
    return replace(config, **values)


def _check_kind(name: str, value: object, before: object) -> None:
    """Raise ValueError for a value of another kind than the one before it."""
    kind = type(before)
    if kind not in _KINDS or type(value) is kind or (kind is float and type(value) is int):
        return
    raise ValueError(f"{name}: expected {_KINDS[kind]}, got {value!r}")


def train_policy(
    method: str,
    tasks: Tasks,
    config: Any,
    learner: Learner[Tasks],
    out: Path | None,
    progress: Progress = silent,
) -> tuple[CurvePoint, ...]:
    """Update a learner until the budget is spent, from the checkpoint in `out` if there is one.

    A longer budget than the checkpoint's is fine: nothing depends on where the run ends.

    Args:
        method: name of the algorithm.
        tasks: situations, and worlds in them.
        config: the learner's settings, a dataclass with a `budget` of transitions in all and the
            transitions of one iteration, `batch`.
        learner: logs the mean returns `after` and `before` any adaptation.
        out: folder of the checkpoint; None for none.
        progress: told once an iteration.

    Returns:
        The learning curve, a point for each iteration.

    Raises:
        UserError: the checkpoint is of another run.
    """
    rows = run_policy(method, tasks, config, learner, out, progress)
    return tuple(
        CurvePoint(row["step"] * config.batch, row["after"], row["before"]) for row in rows
    )


def run_policy(
    method: str,
    tasks: Tasks,
    config: Any,
    learner: Learner[Tasks],
    out: Path | None,
    progress: Progress = silent,
) -> list[dict[str, Any]]:
    """Run the iterations of `train_policy`; return the scalars that each of them logged.

    progress: told once an iteration.
    """
    identity = {"method": method, "robot": tasks.robot.spec.name, **asdict(config)}
    del identity["budget"]
    if tasks.names:
        identity["situations"] = tasks.names
    phase = Phase(method, max(1, round(config.budget / config.batch)), lambda _: learner)
    path = None if out is None else out / CHECKPOINT
    _, end = Run((phase,), tasks, Generator(), identity, path, progress=progress).run({})
    return end.log
