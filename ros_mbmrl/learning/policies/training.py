"""A policy's training: as many iterations as its budget of transitions has room for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Generator

from ros_mbmrl.learning.run import CHECKPOINT, Learner, Phase, Progress, Run
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import CurvePoint, TrainedPolicy


@dataclass(frozen=True)
class PolicyTrainer:
    """Training of a method that learns a policy, as `mbmrl train` runs it.

    Args:
        config: makes the settings, a dataclass with at least `budget`, `horizon` and `seed`.
        train: trains, from the checkpoint in a folder if there is one; see `train_policy`.
    """

    config: Callable[..., Any]
    train: Callable[[Tasks, Any, Path | None, Progress], TrainedPolicy]


def train_policy(
    method: str,
    tasks: Tasks,
    config: Any,
    learner: Learner[Tasks],
    out: Path | None,
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

    Returns:
        The learning curve, a point for each iteration.

    Raises:
        UserError: the checkpoint is of another run.
    """
    rows = run_policy(method, tasks, config, learner, out)
    return tuple(
        CurvePoint(row["step"] * config.batch, row["after"], row["before"]) for row in rows
    )


def run_policy(
    method: str,
    tasks: Tasks,
    config: Any,
    learner: Learner[Tasks],
    out: Path | None,
    progress: Progress = lambda *_: None,
) -> list[dict[str, Any]]:
    """Run the iterations of `train_policy`; return the scalars that each of them logged.

    progress: told once an iteration.
    """
    identity = {"method": method, "robot": tasks.robot.spec.name, **asdict(config)}
    del identity["budget"]
    phase = Phase(method, max(1, round(config.budget / config.batch)), lambda _: learner)
    path = None if out is None else out / CHECKPOINT
    _, end = Run((phase,), tasks, Generator(), identity, path, progress=progress).run({})
    return end.log
