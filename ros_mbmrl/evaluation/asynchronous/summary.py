"""Figures of the study: time and data that an arm needs for the return of another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ros_mbmrl.evaluation.asynchronous.description import PARTIAL, TIME, TRANSITIONS
from ros_mbmrl.evaluation.statistics import Row

ASYNC, SYNC = "_async", "_sync"


def summarise(rows: Sequence[Row]) -> dict[str, Any]:
    """Return `ends`, a row a run, and `reached`: each arm beside the synchronous one, seed by seed.

    Args:
        rows: see `run.learn`.
    """
    ends = [
        {
            **{name: row[name] for name in ("method", "condition", "train_seed", "seconds")},
            **row["curve"][-1],
            "best": max(point["return"] for point in row["curve"]),
        }
        for row in rows
    ]
    return {"ends": ends, "reached": [_beside(row, rows) for row in rows if _opponent(row)]}


def first_at(curve: Sequence[Mapping[str, Any]], level: float, figure: str) -> float | None:
    """Return a figure at the first point whose return is at least `level`; None if none is."""
    return next((float(p[figure]) for p in curve if p["return"] >= level), None)


def _beside(row: Row, rows: Sequence[Row]) -> dict[str, Any]:
    """Return time and transitions to the synchronous arm's best return, of both.

    The synchronous arm's own are at the first point of its best return. Ratios are below 1 where
    the arm is faster, or needs less data.
    """
    name = _opponent(row)
    found: dict[str, Any] = {key: row[key] for key in ("method", "condition", "train_seed")} | {
        "opponent": name
    }
    other = [
        each
        for each in rows
        if each["method"] == name
        and all(each[key] == row[key] for key in ("condition", "train_seed"))
    ]
    if not other:
        return {**found, "level": None}
    level = max(point["return"] for point in other[0]["curve"])
    found["level"] = level
    for figure in (TIME, TRANSITIONS):
        own, theirs = (first_at(each["curve"], level, figure) for each in (row, other[0]))
        ratio = own / theirs if own is not None and theirs else None
        found |= {figure: own, f"{figure}_opponent": theirs, f"{figure}_ratio": ratio}
    return found


def _opponent(row: Row) -> str:
    """Return the synchronous arm of a row's method; empty for that one itself."""
    name = str(row["method"])
    if name.endswith(SYNC):
        return ""
    if name.endswith(ASYNC):
        return name.removesuffix(ASYNC) + SYNC
    return "me_trpo_sync" if name in {arm.name for arm in PARTIAL} else ""
