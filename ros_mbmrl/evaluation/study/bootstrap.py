"""Intervals and p-values over training seeds and episodes; Holm's correction.

Training seeds and episodes are crossed: every model meets the same episodes. Both are drawn,
independently of each other (Owen, "The pigeonhole bootstrap", 2007), the episodes within each
condition. Plain, this says too much of a few training seeds (where five of them differ, its 95 %
interval covers in 85 % of the cases), and counts what is left of a pair of seed and episode up to
three times. Hence the draws are rescaled to the variance of a two-way analysis of variance, and
each one's distance from the estimate is stretched by sqrt(k / chi2_k), which makes Student's t of
k degrees of freedom of a normal distribution; k after Satterthwaite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from ros_mbmrl.evaluation.statistics import FEWEST, Grid, Interval, shares
from ros_mbmrl.robots.spec import Array

RESAMPLES = 20000


@dataclass(frozen=True)
class Estimate:
    """A figure, its 95 % interval, and the two-sided p-value of 0.

    interval, p: None where there is too little to say. p is never below 2 / (resamples + 1).
    """

    value: float
    interval: Interval | None = None
    p: float | None = None

    @classmethod
    def of(cls, value: float, draws: Array) -> Estimate:
        """By percentiles of the draws."""
        low, high = np.quantile(draws, [0.025, 0.975])
        rarer = min(int((draws <= 0).sum()), int((draws >= 0).sum()))
        p = min(1.0, 2 * (1 + rarer) / (1 + len(draws)))
        return cls(value, (float(low), float(high)), p)


def mean(grid: Grid) -> float:
    """The mean over training seeds and episodes; every condition counts the same."""
    return float((grid.values @ _even(strata(grid.episodes))).mean())


def estimate(grid: Grid, rng: Generator, resamples: int = RESAMPLES) -> Estimate:
    """`mean` with its interval."""
    return _estimate([grid.values], grid.episodes, rng, resamples)


def difference(own: Grid, other: Grid, rng: Generator, resamples: int = RESAMPLES) -> Estimate:
    """The mean of `own` less that of `other`, paired by episode; every condition counts the same.

    Paired by training seed too where both have the same ones; drawn independently otherwise.
    Raises ValueError unless both met the same episodes.
    """
    theirs = own.paired_with(other)
    if set(own.seeds) == set(other.seeds):
        return _estimate([own.values - theirs], own.episodes, rng, resamples)
    return _estimate([own.values, -other.values], own.episodes, rng, resamples)


def holm(p: Sequence[float]) -> list[float]:
    """The p-values adjusted for their number (Holm, "A sequentially rejective ...", 1979)."""
    adjusted = [0.0] * len(p)
    least = 0.0
    for rank, k in enumerate(sorted(range(len(p)), key=lambda k: p[k])):
        least = max(least, min(1.0, (len(p) - rank) * p[k]))
        adjusted[k] = least
    return adjusted


def drawn(n: int, rng: Generator, resamples: int) -> Array:
    """(resamples, n): how much each of n counts in a draw of n - 1 of them; one alone stays."""
    return shares(n, rng, resamples, max(n - 1, 1))


def stretched(draws: Array, value: float, freedom: float, rng: Generator) -> Array:
    """The draws (B,) around value, of a spread as uncertain as `freedom` degrees leave it."""
    result: Array = value + (draws - value) * np.sqrt(freedom / rng.chisquare(freedom, len(draws)))
    return result


def strata(episodes: Sequence[tuple[object, ...]]) -> list[Array]:
    """The places of each condition's episodes."""
    conditions = [episode[0] for episode in episodes]
    return [
        np.array([k for k, name in enumerate(conditions) if name == condition])
        for condition in dict.fromkeys(conditions)
    ]


def drawn_episodes(places: Sequence[Array], rng: Generator, resamples: int) -> Array:
    """(resamples, C): how much each episode counts, drawn within each condition; rows sum to 1."""
    counts = np.zeros((resamples, sum(map(len, places))))
    for own in places:
        counts[:, own] = drawn(len(own), rng, resamples) / len(places)
    return counts


def _estimate(
    parts: Sequence[Array], episodes: Sequence[tuple[object, ...]], rng: Generator, resamples: int
) -> Estimate:
    """Of the sum of the means of the parts (S_i, C): seeds of their own, the same episodes."""
    places = strata(episodes)
    even = _even(places)
    value = float(sum((part @ even).mean() for part in parts))
    if min(map(len, places)) < FEWEST:
        return Estimate(value)
    of_episodes = drawn_episodes(places, rng, resamples)
    draws = np.zeros(resamples)
    for part in parts:
        draws += ((drawn(len(part), rng, resamples) @ part) * of_episodes).sum(axis=1)
    variance, freedom = _variance(parts, places, even)
    if not variance:
        return Estimate.of(value, np.full(resamples, value))
    scaled = value + (draws - value) * np.sqrt(variance / draws.var())
    return Estimate.of(value, stretched(scaled, value, freedom, rng))


def _even(places: Sequence[Array]) -> Array:
    """(C,): how much each episode counts where nothing is drawn."""
    counts = np.zeros(sum(map(len, places)))
    for own in places:
        counts[own] = 1 / (len(own) * len(places))
    return counts


def _variance(parts: Sequence[Array], places: Sequence[Array], even: Array) -> tuple[float, float]:
    """Of the sum of the parts' means, crossed random effects; Satterthwaite's degrees of freedom.

    Two-way analysis of variance: mean squares of the seeds and of the episodes, less the residual
    that is in both; never less than either.
    """
    by_episode = sum(part.mean(axis=0) for part in parts)
    of_seeds, of_episodes, of_both = [], [], []
    for part in parts:
        seeds = len(part)
        if seeds > 1:
            of_seeds.append((float((part @ even).var(ddof=1)) / seeds, seeds - 1))
    for own in places:
        n, share = len(own), 1 / len(places) ** 2
        of_episodes.append((share * float(by_episode[own].var(ddof=1)) / n, n - 1))
        for seeds, values in ((len(part), part[:, own]) for part in parts if len(part) > 1):
            rest = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True)
            freedom = (seeds - 1) * (n - 1)
            residual = float(((rest + values.mean()) ** 2).sum()) / freedom
            of_both.append((share * residual / (seeds * n), freedom))
    by_seeds, by_episodes = (sum(v for v, _ in several) for several in (of_seeds, of_episodes))
    less = sum(v for v, _ in of_both)
    variance = max(by_seeds + by_episodes - less, by_seeds, by_episodes)
    squares = sum(v * v / k for v, k in (*of_seeds, *of_episodes, *of_both))
    return variance, variance**2 / squares if squares else 0.0
