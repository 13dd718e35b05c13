"""Means, paired ratios and their bootstrap intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from ros_mbmrl.robots.spec import Array

ALL = "all"  # the row over all conditions
RESAMPLES = 4000
FEWEST = 5
MEANS = (
    "cross_track_max_m",
    "progress_m_s",
    "return",
    "prediction_error_prior",
    "prediction_error_adapted",
    "accepted_fraction",
    "plan_ms_p50",
)

Row = Mapping[str, Any]
Interval = tuple[float, float]


def bootstrap(columns: Array, rng: Generator, level: float = 0.95) -> Interval | None:
    """Interval of the mean, columns (1, n), or of the ratio of two paired means, (2, n).

    Percentile bootstrap over the n columns; None for less than FEWEST of them, of which it would
    say too much.
    """
    n = columns.shape[1]
    if n < FEWEST:
        return None
    drawn = columns[:, rng.integers(n, size=(RESAMPLES, n))].mean(axis=2)
    figures = drawn[0] if len(drawn) == 1 else drawn[0] / drawn[1]
    low, high = np.quantile(figures, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def summarise(rows: Sequence[Row], baseline: str, rng: Generator) -> list[dict[str, Any]]:
    """A row for each method and condition, and one over all conditions.

    cross_track_mean_m with its 95 % interval, the ratio to the baseline's on the same condition,
    path and seed with its interval (None without a baseline), the means of the other figures,
    and the number of episodes that safety stopped. The interval is over episodes: what another
    training seed would have given, it does not say.
    """
    return [
        _summary(rows, method, condition, baseline, rng)
        for condition in (*unique(rows, "condition"), ALL)
        for method in unique(rows, "method")
    ]


def unique(rows: Iterable[Row], key: str) -> list[str]:
    """The values of `key`, in the order in which they come up."""
    return list(dict.fromkeys(row[key] for row in rows))


def _summary(
    rows: Sequence[Row], method: str, condition: str, baseline: str, rng: Generator
) -> dict[str, Any]:
    def errors(name: str) -> dict[tuple[Any, ...], float]:
        return {
            (row["condition"], row["path"], row["seed"]): row["cross_track_mean_m"]
            for row in rows
            if row["method"] == name and condition in (ALL, row["condition"])
        }

    own, base = errors(method), errors(baseline)
    values = np.array([list(own.values())])
    pairs = np.array([[own[key], base[key]] for key in own if key in base]).reshape(-1, 2).T
    ratio = float(pairs[0].mean() / pairs[1].mean()) if pairs.size else None
    chosen = [r for r in rows if r["method"] == method and condition in (ALL, r["condition"])]
    return {
        "method": method,
        "condition": condition,
        "n": len(chosen),
        "cross_track_mean_m": float(values.mean()),
        "cross_track_interval_m": bootstrap(values, rng),
        f"ratio_to_{baseline}": ratio,
        f"ratio_to_{baseline}_interval": bootstrap(pairs, rng) if pairs.size else None,
        **{name: float(np.mean([row[name] for row in chosen])) for name in MEANS},
        "safety_stops": sum(row["safety_stops"] for row in chosen),
    }
