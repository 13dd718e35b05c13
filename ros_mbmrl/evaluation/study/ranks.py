"""Mean ranks over the conditions of several experiments, whatever their units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from ros_mbmrl.evaluation.statistics import Grid, Row, unique
from ros_mbmrl.evaluation.study.bootstrap import Estimate, drawn, stretched
from ros_mbmrl.evaluation.study.comparisons import RETURN, chosen
from ros_mbmrl.robots.spec import Array

RESAMPLES = 4000  # of a rank no far tail is asked for


@dataclass(frozen=True)
class Ranked:
    """The rows of one experiment, and what its methods are ranked by."""

    rows: Sequence[Row]
    measure: str = RETURN
    higher_is_better: bool = True


def common_methods(experiments: Sequence[Ranked]) -> tuple[str, ...]:
    """The methods that took part in every condition of every experiment."""
    met = [
        {r["method"] for r in experiment.rows if r["condition"] == condition}
        for experiment in experiments
        for condition in unique(experiment.rows, "condition")
    ]
    names = unique(experiments[0].rows, "method") if experiments else []
    return tuple(name for name in names if all(name in some for some in met))


def mean_ranks(
    experiments: Sequence[Ranked], methods: Sequence[str] | None = None
) -> dict[str, float]:
    """Each method's rank among `methods` (1 is best), in the mean over all conditions.

    Ranked by the mean over training seeds and episodes; equal ones share the mean of their ranks.
    methods: `common_methods` by default.
    """
    names = common_methods(experiments) if methods is None else tuple(methods)
    ranks = [
        _ranks(np.array([[grid.values.mean() for grid in grids]]), experiment.higher_is_better)[0]
        for experiment in experiments
        for grids in _grids(experiment, names)
    ]
    return dict(zip(names, np.mean(ranks, axis=0).tolist(), strict=True))


def rank_difference(
    experiments: Sequence[Ranked],
    method: str,
    opponent: str,
    rng: Generator,
    methods: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
) -> Estimate:
    """The mean rank of `method` less that of `opponent`: below 0, `method` is the better one.

    Its interval is over training seeds and episodes; the conditions are those that were tried,
    others are not spoken of. Degrees of freedom: all training seeds but one of each experiment.
    """
    names = common_methods(experiments) if methods is None else tuple(methods)
    own, other = names.index(method), names.index(opponent)
    ranks = mean_ranks(experiments, names)
    value = ranks[method] - ranks[opponent]
    draws, conditions, freedom = np.zeros(resamples), 0, 0
    for experiment in experiments:
        of_seeds: dict[tuple[object, ...], Array] = {}
        for grids in _grids(experiment, names):
            # The methods meet the same episodes, and those of the same training seeds share them.
            of_episodes = drawn(len(grids[0].episodes), rng, resamples)
            means = np.empty((resamples, len(names)))
            for k, grid in enumerate(grids):
                if grid.seeds not in of_seeds:
                    of_seeds[grid.seeds] = drawn(len(grid.seeds), rng, resamples)
                means[:, k] = ((of_seeds[grid.seeds] @ grid.values) * of_episodes).sum(axis=1)
            found = _ranks(means, experiment.higher_is_better)
            draws += found[:, own] - found[:, other]
            conditions += 1
        freedom += max(map(len, of_seeds)) - 1
    draws /= conditions
    return Estimate.of(value, stretched(draws, value, freedom, rng) if freedom else draws)


def _grids(experiment: Ranked, methods: Sequence[str]) -> list[list[Grid]]:
    """A grid for each condition and method. Raises ValueError unless all met the same episodes."""
    result = []
    for condition in unique(experiment.rows, "condition"):
        grids = [
            Grid.of(chosen(experiment.rows, name, [condition]), experiment.measure)
            for name in methods
        ]
        if any(grid.episodes != grids[0].episodes for grid in grids):
            raise ValueError(f"{condition}: expected the same episodes of every method")
        result.append(grids)
    return result


def _ranks(values: Array, higher_is_better: bool) -> Array:
    """Ranks (B, M) of values (B, M), 1 the best; equal ones share the mean of their ranks."""
    own, other = values[:, :, None], values[:, None, :]
    ahead = other > own if higher_is_better else other < own
    result: Array = 0.5 + ahead.sum(axis=2) + 0.5 * (other == own).sum(axis=2)
    return result
