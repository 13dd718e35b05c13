"""Times of contenders, measured in turn, so that a slow machine slows all of them."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

Run = Callable[[], object]


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

    def ratio(self, name: str, over: str) -> float:
        """Return the median ratio of one contender's time to another's in the same round."""
        pairs = zip(self.seconds[name], self.seconds[over], strict=True)
        return median(own / other for own, other in pairs)


@dataclass(frozen=True)
class Figure:
    """A result and its meaning; value: None if it was not measured, goal: in words or empty."""

    name: str
    value: float | None
    meaning: str
    goal: str = ""


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
        return {**values, **self.facts, "medians_ms": medians, "notes": list(self.notes)}


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
