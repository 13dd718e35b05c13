"""Experiments from files that `mbmrl evaluate --json` wrote, an experiment's joined to one."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.statistics import Row
from ros_mbmrl.evaluation.study.comparisons import RETURN
from ros_mbmrl.evaluation.study.ranks import Ranked
from ros_mbmrl.untrusted import read_bytes

LIMIT = 256 << 20  # of a file [bytes]
CROSS_TRACK = "cross_track_mean_m"  # of the hexapod's experiments; lower is better

Experiments = Mapping[str, Ranked]  # by name


def read(files: Sequence[Path]) -> Experiments:
    """Read the experiments of the files; one whose training seeds were shared out is joined.

    Raises UserError for a file that is none, or a training seed twice.
    """
    found: dict[str, Ranked] = {}
    for path in files:
        name, ranked = _experiment(path)
        found[name] = _joined(path, name, found[name], ranked) if name in found else ranked
    if not found:
        raise UserError("files: expected at least one that `mbmrl evaluate --json` wrote")
    return found


def _experiment(path: Path) -> tuple[str, Ranked]:
    text = read_bytes(path, LIMIT)
    try:
        report = json.loads(text)
        name, rows = report["config"]["experiment"], report["results"]["rows"]
        measure = CROSS_TRACK if CROSS_TRACK in rows[0] else RETURN
        whole = isinstance(name, str) and all(_is_row(row, measure) for row in rows)
    except (ValueError, LookupError, TypeError, ArithmeticError, RecursionError):
        whole = False
    if not whole:
        raise UserError(
            f"{path}: expected what `mbmrl evaluate --json` writes: an experiment, and rows of "
            f"method, train_seed, condition, seed, and {RETURN} or {CROSS_TRACK}"
        )
    return name, Ranked(rows, measure, higher_is_better=measure == RETURN)


def _joined(path: Path, name: str, known: Ranked, more: Ranked) -> Ranked:
    """Return the rows of both; what was not trained has the same in both, and counts once."""
    seen = {_trained(row) for row in known.rows}
    for row in more.rows:
        if row["train_seed"] is not None and _trained(row) in seen:
            raise UserError(
                f"{path}: experiment '{name}' again with training seed {row['train_seed']} of "
                f"'{row['method']}', expected each once"
            )
    new = [row for row in more.rows if _trained(row) not in seen]
    return replace(known, rows=[*known.rows, *new])


def _trained(row: Row) -> tuple[str, int | None]:
    return row["method"], row["train_seed"]


def _is_row(row: Row, measure: str) -> bool:
    texts = row["method"], row["condition"], row.get("path", "")
    numbers = row["seed"], 0 if row["train_seed"] is None else row["train_seed"]
    return (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(number, int) for number in numbers)
        and math.isfinite(row[measure])
    )
