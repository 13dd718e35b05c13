"""A policy's training: as many iterations as its budget of transitions has room for."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Generator

from ros_mbmrl.learning.run import CHECKPOINT, Learner, Phase, Run
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import CurvePoint


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
    identity = {"method": method, "robot": tasks.robot.spec.name, **asdict(config)}
    del identity["budget"]
    phase = Phase(method, max(1, round(config.budget / config.batch)), lambda _: learner)
    path = None if out is None else out / CHECKPOINT
    _, end = Run((phase,), tasks, Generator(), identity, path).run({})
    return tuple(
        CurvePoint(row["step"] * config.batch, row["after"], row["before"]) for row in end.log
    )
