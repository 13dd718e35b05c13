"""Mean ranks over the conditions of several experiments, whatever their units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from scipy.stats import norm, t  # type: ignore[import-untyped]

from ros_mbmrl.evaluation.statistics import FEWEST, Row, unique
from ros_mbmrl.evaluation.study.bootstrap import Estimate, Sample
from ros_mbmrl.evaluation.study.comparisons import RETURN, chosen, met_by, values
from ros_mbmrl.robots.spec import Array

RESAMPLES = 4000  # no far tail is asked for


@dataclass(frozen=True)
class Ranked:
    """Rows of one experiment, and the figure that ranks its methods."""

    rows: Sequence[Row]
    measure: str = RETURN
    higher_is_better: bool = True


def common_methods(experiments: Sequence[Ranked]) -> tuple[str, ...]:
    """Return the methods that took part in every condition of every experiment."""
    met = [
        {row["method"] for row in experiment.rows if row["condition"] == condition}
        for experiment in experiments
        for condition in unique(experiment.rows, "condition")
    ]
    names = unique(experiments[0].rows, "method") if experiments else []
    return tuple(name for name in names if all(name in some for some in met))


def shared(experiment: Ranked, methods: Sequence[str]) -> Ranked:
    """Return samples of the methods, from the training seeds and episodes that all of them met.

    Raises ValueError for a condition of which nothing is left.
    """
    own = [[r for r in experiment.rows if r["method"] == method] for method in methods]
    common = set.intersection(*({met_by(row) for row in rows} for rows in own))
    left = [row for rows in own for row in rows if met_by(row) in common]
    for condition in unique(experiment.rows, "condition"):
        if all(row["condition"] != condition for row in left):
            raise ValueError(f"no training seed and episode of '{condition}' that all methods met")
    return replace(experiment, rows=left)


def mean_ranks(experiments: Sequence[Ranked], methods: Sequence[str]) -> dict[str, float]:
    """Rank each of `methods`, 1 the best, in the mean over all conditions.

    Ranked by the mean over training seeds and episodes; equal ones share the mean of their ranks.
    """
    ranks = []
    for experiment in experiments:
        several = _samples(experiment, methods)
        for k in range(len(several[0].conditions) if several else 0):
            means = np.array([[sample.blocks[k].mean() for sample in several]])
            ranks.append(_ranks(means, experiment.higher_is_better)[0])
    return dict(zip(methods, np.mean(ranks, axis=0).tolist(), strict=True)) if ranks else {}


def rank_difference(
    experiments: Sequence[Ranked],
    method: str,
    opponent: str,
    methods: Sequence[str],
    rng: Generator,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Subtract the mean rank of `opponent` from that of `method`: below 0, `method` is better.

    The interval is over training seeds and episodes, of the conditions that were tried: of others
    it says nothing; none for less than FEWEST episodes a condition. Degrees of freedom: all
    training seeds, less one of each experiment, whose models are taken to be its own.
    """
    place = methods.index(method), methods.index(opponent)
    of_all = mean_ranks(experiments, methods)
    value = of_all[method] - of_all[opponent]
    draws: list[Array] = []
    freedom = 0
    for experiment in experiments:
        several = _samples(experiment, methods)
        if min(block.shape[1] for block in several[0].blocks) < FEWEST:
            return Estimate(value)
        freedom += len(several[0].seeds) - 1
        # The methods meet the same episodes: drawn once for all of them.
        for k, weights in enumerate(several[0].weights(rng, resamples)):
            means = [np.einsum("bse,se->b", weights, sample.blocks[k]) for sample in several]
            found = _ranks(np.stack(means, axis=1), experiment.higher_is_better)
            draws.append(found[:, place[0]] - found[:, place[1]])
    differences: Array = np.mean(draws, axis=0)
    return _expanded(Estimate.of(value, differences), differences, freedom)


def _expanded(plain: Estimate, draws: Array, freedom: int) -> Estimate:
    """Return the interval at percentiles widened for few seeds: ranks cannot stretch.

    Hesterberg, "What teachers should know about the bootstrap", 2015.
    """
    if not freedom or plain.p is None:
        return plain
    tail = float(norm.sf(t.isf(0.025, freedom)))
    low, high = np.quantile(draws, [tail, 1 - tail])
    p = 2 * float(t.sf(norm.isf(plain.p / 2), freedom))
    return Estimate(plain.value, (float(low), float(high)), p)


def _samples(experiment: Ranked, methods: Sequence[str]) -> list[Sample]:
    """Make a sample of each method. Raises ValueError unless seeds and episodes are the same."""
    conditions = unique(experiment.rows, "condition")
    figures = [
        values(chosen(experiment.rows, name, conditions), experiment.measure) for name in methods
    ]
    if any(own.keys() != figures[0].keys() for own in figures):
        raise ValueError("expected the same training seeds and episodes of all that are ranked")
    return [Sample.of(own) for own in figures]


def _ranks(scores: Array, higher_is_better: bool) -> Array:
    """Rank scores (B, M), 1 the best; equal ones share the mean of their ranks."""
    own, other = scores[:, :, None], scores[:, None, :]
    ahead = other > own if higher_is_better else other < own
    result: Array = 0.5 + ahead.sum(axis=2) + 0.5 * (other == own).sum(axis=2)
    return result
