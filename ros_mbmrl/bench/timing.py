"""Times of contenders, measured in turn: what slows the machine down slows all of them down."""

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
    """What is measured. prepare: what has to be done before each run, outside of the time."""

    run: Run
    prepare: Run = lambda: None


@dataclass(frozen=True)
class Times:
    """Seconds of each round, by contender; round k of one ran beside round k of the others."""

    seconds: Mapping[str, tuple[float, ...]]

    def median(self, name: str) -> float:
        """Median time [s]."""
        return median(self.seconds[name])

    def ratio(self, name: str, over: str) -> float:
        """Median over the rounds of the time of one over that of another in the same round."""
        pairs = zip(self.seconds[name], self.seconds[over], strict=True)
        return median(own / other for own, other in pairs)


@dataclass(frozen=True)
class Figure:
    """A result and what it means. value: None if it could not be measured here.

    goal: what is to be reached, in words; empty if nothing is.
    """

    name: str
    value: float | None
    meaning: str
    goal: str = ""


@dataclass(frozen=True)
class Findings:
    """What a bench found.

    figures: the results, by name. times: seconds of each repeat, by contender.
    facts: what else is in the results. notes: what else is to be said, a line each.
    """

    figures: tuple[Figure, ...]
    times: Times
    facts: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def results(self) -> dict[str, Any]:
        """As `--json` has them."""
        medians = {name: 1e3 * median(each) for name, each in self.times.seconds.items() if each}
        values = {figure.name: figure.value for figure in self.figures}
        return {**values, **self.facts, "medians_ms": medians, "notes": list(self.notes)}


def interleave(
    contenders: Mapping[str, Contender | Run],
    repeats: int,
    warm_up: int = 2,
    clock: Callable[[], float] = time.perf_counter,
) -> Times:
    """Runs all of them in turn, `repeats` times after `warm_up` rounds that do not count.

    Every second round goes backwards, so that nobody always runs after the same neighbour.
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
    """Torch's threads are `threads` in here, and what they were afterwards."""
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
