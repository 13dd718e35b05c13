"""Figures of each method by condition: returns, normalised by the oracle, and errors of updates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from ros_mbmrl.evaluation.statistics import Row, unique
from ros_mbmrl.evaluation.study.bootstrap import RESAMPLES, Sample
from ros_mbmrl.evaluation.study.comparisons import (
    ERROR,
    RETURN,
    Evidence,
    chosen,
    values,
)
from ros_mbmrl.methods import about
from ros_mbmrl.methods.built_in import BASELINE, CHANCE, ORACLE, TRUE_MODEL
from ros_mbmrl.methods.method import Role


@dataclass(frozen=True)
class Scale:
    """Returns that count as 0 and as 1, and where they come from."""

    zero: float
    one: float
    by: str

    def __call__(self, value: float) -> float:
        """Convert a return to this scale."""
        return (value - self.zero) / (self.one - self.zero)


def oracle_scale(rows: Sequence[Row], condition: str) -> Scale | None:
    """Return the scale on which the oracle's mean return is 1 and a return of 0 is 0.

    Where the oracle's return is not positive, 0 is what random actions get. None without an
    oracle, or with one that is no better than that.
    """
    oracle, chance = (
        Sample.of(values(own, RETURN)).mean if own else None
        for own in (chosen(rows, name, [condition]) for name in (ORACLE, CHANCE))
    )
    if oracle is None:
        return None
    if oracle > 0:
        return Scale(0.0, oracle, "oracle")
    if chance is None or chance >= oracle:
        return None
    return Scale(chance, oracle, "oracle above random")


def returns(
    rows: Sequence[Row], methods: Sequence[str], rng: Generator, resamples: int = RESAMPLES
) -> list[dict[str, Any]]:
    """Make a row for each condition and method: the mean return with its 95 % interval.

    normalised, normalised_interval, normalised_by: see `oracle_scale`; the oracle's mean is taken
    as it is, its own interval is in its own row. safety_stops: episodes that safety ended.
    """
    result = []
    for condition in unique(rows, "condition"):
        scale = oracle_scale(rows, condition)
        for method in methods:
            if own := chosen(rows, method, [condition]):
                result.append(_returns(own, scale, rng, resamples))
    return result


def _returns(
    own: Sequence[Row], scale: Scale | None, rng: Generator, resamples: int
) -> dict[str, Any]:
    sample = Sample.of(values(own, RETURN))
    found = sample.estimate(rng, resamples)
    interval = found.interval
    return {
        "method": own[0]["method"],
        "condition": own[0]["condition"],
        "n_train_seeds": len(sample.seeds),
        "n_episodes": sample.n_episodes,
        "return": found.value,
        "return_interval": interval,
        "normalised": scale and scale(found.value),
        "normalised_interval": scale and interval and tuple(map(scale, interval)),
        "normalised_by": scale and scale.by,
        "return_after": _mean(own, "return_after"),
        "accepted_fraction": _mean(own, "accepted_fraction"),
        "safety_stops": sum(row["safety_stops"] > 0 for row in own),
    }


def _mean(rows: Sequence[Row], name: str) -> float | None:
    known = [row[name] for row in rows if row.get(name) is not None]
    return float(np.mean(known)) if known else None


def updates(
    records: Sequence[Row], methods: Sequence[str], rng: Generator, resamples: int = RESAMPLES
) -> list[dict[str, Any]]:
    """Make a row for each condition and method: the K-step error before and after the update.

    Over the windows of all training seeds: n, median and mean before and after, improved (the
    fraction of windows that are better after), and typical_ratio, of the geometric means after to
    before, with its 95 % interval over training seeds and rollouts.
    """
    evidence = Evidence((), records)
    result = []
    for condition in unique(records, "condition"):
        for method in methods:
            if not (own := chosen(records, method, [condition])):
                continue
            before, after = (
                np.concatenate([record[which] for record in own]) for which in ("before", "after")
            )
            found = evidence.compare((method, method, (condition,), ERROR), rng, resamples)
            assert found is not None
            interval = found.interval
            result.append(
                {
                    "method": method,
                    "condition": condition,
                    "n_train_seeds": found.n_train_seeds,
                    "n": len(before),
                    "median_before": float(np.median(before)),
                    "median_after": float(np.median(after)),
                    "mean_before": float(before.mean()),
                    "mean_after": float(after.mean()),
                    "improved": float((after < before).mean()),
                    "typical_ratio": float(np.exp(found.difference)),
                    "typical_ratio_interval": interval and tuple(np.exp(interval).tolist()),
                }
            )
    return result


def headroom(
    evidence: Evidence, methods: Sequence[str], rng: Generator, resamples: int = RESAMPLES
) -> list[dict[str, Any]]:
    """Make a row for each condition: return of the true model minus return of the baseline.

    gain with its interval, and percent of the baseline's mean. reached: by contender, its own
    gain as a share of that one; empty where the interval holds 0. No row where either is missing.
    """
    result = []
    for condition in unique(evidence.rows, "condition"):
        most = evidence.compare((TRUE_MODEL, BASELINE, (condition,), RETURN), rng, resamples)
        if most is None:
            continue
        reached = {}
        if most.interval is not None and most.interval[0] > 0:
            for method in (m for m in methods if about(m).role is Role.CONTENDER):
                own = evidence.compare((method, BASELINE, (condition,), RETURN), rng, resamples)
                if own is not None:
                    reached[method] = own.difference / most.difference
        result.append(
            {
                "condition": condition,
                "n_episodes": most.n_episodes,
                "baseline": most.opponent_mean,
                "true_model": most.mean,
                "gain": most.difference,
                "gain_interval": most.interval,
                "percent": most.percent,
                "reached": reached,
            }
        )
    return result
