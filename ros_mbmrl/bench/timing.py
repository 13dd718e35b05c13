"""Times of contenders, measured in turn, so that a slow machine slows all of them."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

Run = Callable[[], object]
OUTSIDE = 0.05  # chance that a true median is outside of its interval


@dataclass(frozen=True)
class Contender:
    """A run to be measured; prepare: called before each run, outside of the time."""

    run: Run
    prepare: Run = lambda: None


@dataclass(frozen=True)
class Times:
    """Seconds of each round, by contender; round k of one ran beside round k of the others."""

    seconds: Mapping[str, tuple[float, ...]]

    def median(self, name: str) -> float:
        """Return the median time [s]."""
        return median(self.seconds[name])

    def ratios(self, name: str, over: str) -> tuple[float, ...]:
        """Return the ratios of one contender's time to another's, round by round."""
        pairs = zip(self.seconds[name], self.seconds[over], strict=True)
        return tuple(own / other for own, other in pairs)

    def ratio(self, name: str, over: str) -> float:
        """Return the median ratio of one contender's time to another's in the same round."""
        return median(self.ratios(name, over))

    def figure(
        self, key: str, name: str, over: str, meaning: str, goal: str = "", times: float = 1.0
    ) -> Figure:
        """Return the ratio, `times` as large, as a figure; unknown if one of both did not run."""
        if name not in self.seconds or over not in self.seconds:
            return Figure(key, None, meaning, goal)
        ratios = [times * each for each in self.ratios(name, over)]
        return Figure(key, median(ratios), meaning, goal, interval_of_median(ratios))


def interval_of_median(values: Sequence[float]) -> tuple[float, float] | None:
    """Return an interval that holds the true median in 95 % of cases, whatever the distribution.

    Between two order statistics: each value is above the median by the toss of a coin. None for
    fewer than six values, which cannot say so much.
    """
    count, ranked = len(values), sorted(values)
    outside, rank = 0.5**count, 0  # chance that no more than `rank` values are below
    if outside > OUTSIDE / 2:
        return None
    while True:
        more = outside + math.comb(count, rank + 1) * 0.5**count
        if more > OUTSIDE / 2:
            return ranked[rank], ranked[count - 1 - rank]
        outside, rank = more, rank + 1


@dataclass(frozen=True)
class Figure:
    """A result and its meaning.

    Args:
        name: in `--json`.
        value: None if it was not measured.
        meaning: for people.
        goal: in words, or empty.
        interval: where the true value is, in 95 % of cases; None: not known.
    """

    name: str
    value: float | None
    meaning: str
    goal: str = ""
    interval: tuple[float, float] | None = None

    @property
    def spread(self) -> float:
        """Return half the interval's width over the value; 0 without an interval."""
        if self.interval is None or not self.value:
            return 0.0
        return (self.interval[1] - self.interval[0]) / (2 * abs(self.value))


@dataclass(frozen=True)
class Findings:
    """Results of a bench.

    Args:
        figures: the results, by name.
        times: seconds of each repeat, by contender.
        facts: further results.
        notes: remarks, a line each.
    """

    figures: tuple[Figure, ...]
    times: Times
    facts: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def results(self) -> dict[str, Any]:
        """Return the results for `--json`."""
        medians = {name: 1e3 * median(each) for name, each in self.times.seconds.items() if each}
        values = {figure.name: figure.value for figure in self.figures}
        intervals = {each.name: list(each.interval) for each in self.figures if each.interval}
        known = {"intervals": intervals} if intervals else {}
        return {**values, **self.facts, **known, "medians_ms": medians, "notes": list(self.notes)}


def interleave(
    contenders: Mapping[str, Contender | Run],
    repeats: int,
    warm_up: int = 2,
    clock: Callable[[], float] = time.perf_counter,
) -> Times:
    """Run all contenders in turn, and return their times.

    Every second round goes backwards, so that no contender always follows the same one.

    Args:
        contenders: by name.
        repeats: rounds that count.
        warm_up: rounds before them that do not count.
        clock: steady [s].
    """
    if repeats < 1:
        raise ValueError(f"repeats: expected at least 1, got {repeats}")
    named = {
        name: each if isinstance(each, Contender) else Contender(each)
        for name, each in contenders.items()
    }
    seconds: dict[str, list[float]] = {name: [] for name in named}
    with _no_collection():
        for turn in range(warm_up + repeats):
            order = list(named) if turn % 2 == 0 else list(reversed(named))
            for name in order:
                named[name].prepare()
                began = clock()
                named[name].run()
                ended = clock()
                if turn >= warm_up:
                    seconds[name].append(ended - began)
    return Times({name: tuple(values) for name, values in seconds.items()})


@contextmanager
def pinned(threads: int) -> Iterator[None]:
    """Set torch's number of threads, and restore it afterwards."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _no_collection() -> Iterator[None]:
    was = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def at_least(low: int, **values: int) -> None:
    """Raise ValueError for the first of the named values that is below `low`."""
    for name, value in values.items():
        if value < low:
            raise ValueError(f"{name}: expected an integer of at least {low}, got {value}")
