"""Diagnosis of causes: how often it is right, how soon after a change, and how often a false alarm.

What is inferred and the truth are the effectiveness of every actuator; the truth is the
simulation's (`SimulatedRobots.effectiveness`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.evaluation.html import Table
from ros_mbmrl.evaluation.statistics import Row, unique
from ros_mbmrl.evaluation.study.comparisons import chosen
from ros_mbmrl.evaluation.study.reaction import WINDOWS, by_window, first_step
from ros_mbmrl.methods import look
from ros_mbmrl.robots.spec import Array

DIAGNOSIS = "diagnosis"  # of a row: see `diagnose`
# A bank's hypotheses (well, weak, dead) are .5 apart: right is what is nearest to the truth.
TOLERANCE = 0.25
HOLDS = 0.25  # how long a diagnosis must stay right to count as found [s]


def diagnose(inferred: Array, truth: Array, begin: float, period: float) -> dict[str, Any]:
    """Return the figures of one robot's diagnosis.

    Args:
        inferred, truth: effectiveness (T, da) in each control step.
        begin: when the change comes [s].
        period: of the control [s].

    Returns:
        right_by_seconds: share of steps with the right diagnosis, see `reaction.by_window`.
        delay_seconds: from the change to the right diagnosis that then holds for HOLDS; None where
            none was found.
        alarms, lasting_alarms: how often a right diagnosis became a wrong one although nothing
            changed, and how often that held for HOLDS.
        right_seconds: how long it was right.
    """
    right: NDArray[np.bool_] = np.abs(inferred - truth).max(axis=1) <= TOLERANCE
    same = (truth[1:] == truth[:-1]).all(axis=1)
    alarms = 1 + np.flatnonzero(right[:-1] & ~right[1:] & same)
    hold = max(1, first_step(HOLDS, period))
    return {
        "right_by_seconds": by_window(right.astype(float), begin, period),
        "delay_seconds": _delay(right, first_step(begin, period), hold, period),
        "alarms": len(alarms),
        "lasting_alarms": sum(not right[step : step + hold].any() for step in alarms),
        "right_seconds": float(right.sum() * period),
    }


def _delay(right: NDArray[np.bool_], first: int, hold: int, period: float) -> float | None:
    """Return the seconds from step `first` to a right diagnosis of `hold` steps, or None."""
    for step in range(first, len(right) - hold + 1):
        if right[step : step + hold].all():
            return (step - first) * period
    return None


def diagnoses(rows: Sequence[Row], methods: Sequence[str]) -> list[dict[str, Any]]:
    """Make a row for each condition and method that makes diagnoses.

    right: mean share of steps with the right diagnosis, by window. delay_median_s: over all
    episodes, an episode without a right diagnosis counting as never; None if that is the median.
    never: episodes without. alarms_an_hour, lasting_alarms_an_hour: false ones, an hour of right
    diagnosis; None if it never was right.
    """
    result = []
    for condition in unique(rows, "condition"):
        for method in methods:
            own = [r[DIAGNOSIS] for r in chosen(rows, method, [condition]) if DIAGNOSIS in r]
            if own:
                facts = {"method": method, "condition": condition, "n": len(own)}
                result.append({**facts, **_summary(own)})
    return result


def _summary(own: Sequence[Row]) -> dict[str, Any]:
    delays = [math.inf if d["delay_seconds"] is None else d["delay_seconds"] for d in own]
    median = float(np.median(delays))
    hours = sum(each["right_seconds"] for each in own) / 3600
    alarms = {
        f"{name}_an_hour": sum(each[name] for each in own) / hours if hours else None
        for name in ("alarms", "lasting_alarms")
    }
    shares = {
        name: [s for each in own if (s := each["right_by_seconds"][name]) is not None]
        for name in WINDOWS
    }
    return {
        "right": {name: float(np.mean(found)) for name, found in shares.items() if found},
        "delay_median_s": median if math.isfinite(median) else None,
        "never": delays.count(math.inf),
        **alarms,
    }


def table(found: Sequence[Row]) -> Table:
    """Return the diagnoses: a line a condition and method."""
    cells = []
    for row in found:
        right = (f"{row['right'][name]:.0%}" if name in row["right"] else "" for name in WINDOWS)
        median = row["delay_median_s"]
        alarms = (row[name] for name in ("alarms_an_hour", "lasting_alarms_an_hour"))
        cells.append(
            (
                row["condition"],
                look(row["method"]).name,
                *right,
                "never" if median is None else f"{median:.2f}",
                f"{row['never']} of {row['n']}",
                *("" if each is None else f"{each:.0f}" for each in alarms),
            )
        )
    columns = ("condition", "method", *(f"right, {name}" for name in WINDOWS))
    caption = (
        "Diagnosis: share of steps in which it is right, in windows after the change; median time "
        f"from the change to a right one that holds {HOLDS:g} s; episodes in which none did; false "
        "alarms (a right one becomes a wrong one and nothing changed) an hour of right diagnosis, "
        "and those of them that hold as long"
    )
    more = ("time to it [s]", "never", "false alarms an hour", "that hold")
    return Table((*columns, *more), cells, caption)
