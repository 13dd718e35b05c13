"""Means over training seeds and episodes, paired ratios, and their bootstrap intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Figure:
    """A figure of an episode that methods are compared by; the smaller, the better.

    Args:
        key: of a row.
        interval: key of its interval in a summary.
        label: in tables and plots.
        unit: in which it is shown.
        scale: factor from a row's unit to this one.
        digits: format of its numbers in tables.
        trace: its course over an episode, by its name in the row's `trace`.
    """

    key: str
    interval: str
    label: str
    unit: str = ""
    scale: float = 1.0
    digits: str = ".2f"
    trace: str = ""

    def shown(self, value: float) -> str:
        """Return a value of a row in the unit and the format of tables."""
        return format(self.scale * value, self.digits)

    @property
    def title(self) -> str:
        """Return the label with the unit."""
        return f"{self.label} [{self.unit}]" if self.unit else self.label


CROSS_TRACK = Figure(
    *("cross_track_mean_m", "cross_track_interval_m", "cross-track error", "cm", 100.0),
    trace="cross_track",
)


@dataclass(frozen=True)
class Grid:
    """A method's figures: a training seed in each row, an episode in each column.

    Args:
        seeds: the cards' training seeds (S,).
        episodes: condition, path and seed (C,).
        errors: the figure (S, C), in the rows' unit.
    """

    seeds: tuple[Any, ...]
    episodes: tuple[tuple[Any, ...], ...]
    errors: Array

    @classmethod
    def of(cls, rows: Iterable[Row], figure: Figure = CROSS_TRACK) -> Grid:
        """Return the grid of one method's rows. Raises ValueError if a seed lacks an episode."""
        found = {
            (row["train_seed"], (row["condition"], row["path"], row["seed"])): float(
                row[figure.key]
            )
            for row in rows
        }
        seeds = tuple(dict.fromkeys(seed for seed, _ in found))
        episodes = tuple(sorted({episode for _, episode in found}))
        if len(found) < len(seeds) * len(episodes):
            raise ValueError("expected the same episodes of every training seed")
        errors = np.array([[found[seed, episode] for episode in episodes] for seed in seeds])
        return cls(seeds, episodes, errors.reshape(len(seeds), len(episodes)))

    def paired_with(self, opponent: Grid) -> Array:
        """Return the opponent's errors (S, C) in this grid's places.

        Of the same training seed if it has that one, otherwise of the mean over its seeds. Raises
        ValueError unless both have the same episodes.
        """
        if self.episodes != opponent.episodes:
            raise ValueError("expected the same episodes of every method")
        known = dict(zip(opponent.seeds, opponent.errors, strict=True))
        mean = opponent.errors.mean(axis=0)
        return np.stack([known.get(seed, mean) for seed in self.seeds])


def bootstrap(
    errors: Array, rng: Generator, base: Array | None = None, level: float = 0.95
) -> Interval | None:
    """Return an interval of the mean of errors, or of its ratio to a paired base's.

    Percentile bootstrap that draws the S training seeds and the C episodes independently of each
    other (Owen, "The pigeonhole bootstrap", 2007); with S = 1 the episodes alone. With few training
    seeds it is somewhat too narrow.

    Args:
        errors: (S, C).
        rng: of the draws.
        base: errors (S, C) of an opponent in the same places, or None.
        level: of the interval.

    Returns:
        Low and high end; None for less than FEWEST episodes, with which it would be misleading.
    """
    seeds, episodes = errors.shape
    if episodes < FEWEST:
        return None
    of_seeds, of_episodes = shares(seeds, rng), shares(episodes, rng)
    figures = ((of_seeds @ errors) * of_episodes).sum(axis=1)
    if base is not None:
        figures = figures / ((of_seeds @ base) * of_episodes).sum(axis=1)
    low, high = np.quantile(figures, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def shares(n: int, rng: Generator, draws: int = RESAMPLES, taken: int | None = None) -> Array:
    """Return the share (draws, n) of each of n in draws with replacement; rows sum to 1.

    taken: how many each draw takes, n by default.
    """
    taken = taken or n
    drawn = rng.integers(n, size=(draws, taken)) + n * np.arange(draws)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=draws * n)
    return counts.reshape(draws, n) / taken


def summarise(
    rows: Sequence[Row],
    versus: Sequence[str],
    rng: Generator,
    figure: Figure = CROSS_TRACK,
    means: Sequence[str] = MEANS,
) -> list[dict[str, Any]]:
    """Return a row for each method and condition, and one over all conditions.

    n_train_seeds and n_episodes, n their product. The figure with its 95 % interval. For every
    opponent X: ratio_to_X of the paired means with its interval, and worse_than_X, whether the
    interval is above 1 (None if unknown); typical_ratio_to_X of the geometric means with its
    interval, which no single episode dominates. Figures that are not all above 0 have no ratios.
    The means of the other figures, and the number of episodes that safety stopped.

    Args:
        rows: of the episodes.
        versus: opponents.
        rng: of the intervals.
        figure: that is compared.
        means: keys of the other figures.
    """
    return [
        _summary(rows, method, condition, versus, rng, figure, means)
        for condition in (*unique(rows, "condition"), ALL)
        for method in unique(rows, "method")
    ]


def by_train_seed(
    rows: Sequence[Row], versus: Sequence[str], figure: Figure = CROSS_TRACK
) -> list[dict[str, Any]]:
    """Return a row for each method and training seed, over all conditions."""
    result = []
    for method in unique(rows, "method"):
        own = Grid.of(_of(rows, method), figure)
        bases = {name: own.paired_with(grid) for name, grid in _opponents(rows, versus, figure)}
        for k, seed in enumerate(own.seeds):
            mean = float(own.errors[k].mean())
            ratios = {f"ratio_to_{x}": _ratio(own.errors[k], base[k]) for x, base in bases.items()}
            facts = {"method": method, "train_seed": seed, "n": len(own.episodes)}
            result.append({**facts, figure.key: mean, **ratios})
    return result


def unique(rows: Iterable[Row], key: str) -> list[Any]:
    """Return the values of `key`, in the order of their first occurrence."""
    return list(dict.fromkeys(row[key] for row in rows))


def _of(rows: Iterable[Row], method: str, condition: str = ALL) -> list[Row]:
    return [r for r in rows if r["method"] == method and condition in (ALL, r["condition"])]


def _opponents(
    rows: Sequence[Row], versus: Sequence[str], figure: Figure, condition: str = ALL
) -> list[tuple[str, Grid]]:
    """Return those of `versus` that took part."""
    chosen = ((name, _of(rows, name, condition)) for name in versus)
    return [(name, Grid.of(own, figure)) for name, own in chosen if own]


def _ratio(errors: Array, base: Array) -> float | None:
    """Return the ratio of the means; None unless all figures are above 0."""
    positive = (errors > 0).all() and (base > 0).all()
    return float(errors.mean() / base.mean()) if positive else None


def _ratios(own: Grid, opponents: Sequence[tuple[str, Grid]], rng: Generator) -> dict[str, Any]:
    """Return the ratios to all opponents that have one; see `summarise`."""
    found: dict[str, Any] = {}
    for name, opponent in opponents:
        base = own.paired_with(opponent)
        ratio = _ratio(own.errors, base)
        if ratio is None:
            continue
        interval = bootstrap(own.errors, rng, base)
        found[f"ratio_to_{name}"] = ratio
        found[f"ratio_to_{name}_interval"] = interval
        found[f"worse_than_{name}"] = None if interval is None else interval[0] > 1
        logs = np.log(own.errors) - np.log(base)
        typical = bootstrap(logs, rng)
        found[f"typical_ratio_to_{name}"] = float(np.exp(logs.mean()))
        found[f"typical_ratio_to_{name}_interval"] = typical and tuple(np.exp(typical).tolist())
    return found


def _summary(
    rows: Sequence[Row],
    method: str,
    condition: str,
    versus: Sequence[str],
    rng: Generator,
    figure: Figure,
    means: Sequence[str],
) -> dict[str, Any]:
    chosen = _of(rows, method, condition)
    own = Grid.of(chosen, figure)
    ratios: dict[str, Any] = {}
    for name in versus:
        for kind in (f"ratio_to_{name}", f"typical_ratio_to_{name}"):
            ratios |= dict.fromkeys((kind, f"{kind}_interval"))
        ratios[f"worse_than_{name}"] = None
    ratios |= _ratios(own, _opponents(rows, versus, figure, condition), rng)
    return {
        "method": method,
        "condition": condition,
        "n": len(chosen),
        "n_train_seeds": len(own.seeds),
        "n_episodes": len(own.episodes),
        figure.key: float(own.errors.mean()),
        figure.interval: bootstrap(own.errors, rng),
        **ratios,
        **{name: float(np.mean([row[name] for row in chosen])) for name in means},
        "safety_stops": sum(row["safety_stops"] for row in chosen),
    }
