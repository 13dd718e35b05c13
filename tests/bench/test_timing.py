"""Contenders run in turn, and only what is to be timed is."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ros_mbmrl.bench.timing import (
    Contender,
    Figure,
    Findings,
    Times,
    at_least,
    interleave,
    interval_of_median,
    pinned,
)


class Clock:
    """Stands still but for `pass_`."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


def test_rounds_run_to_and_fro_and_the_first_do_not_count() -> None:
    clock, order = Clock(), []
    took = {"a": iter((9.0, 1.0, 2.0, 6.0)), "b": iter((9.0, 2.0, 1.0, 2.0))}

    def run(name: str) -> None:
        order.append(name)
        clock.pass_(next(took[name]))

    slow = Contender(lambda: run("b"), prepare=lambda: clock.pass_(100.0))
    times = interleave({"a": lambda: run("a"), "b": slow}, repeats=3, warm_up=1, clock=clock)
    assert "".join(order) == "abbaabba"
    assert times.seconds == {"a": (1.0, 2.0, 6.0), "b": (2.0, 1.0, 2.0)}
    assert times.median("a") == 2.0
    assert times.ratio("a", "b") == 2.0  # of 0.5, 2 and 3: not the ratio of medians
    assert gc.isenabled()


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="repeats: expected at least 1, got 0"):
        interleave({}, repeats=0)
    with pytest.raises(ValueError, match="samples: expected an integer of at least 2, got 1"):
        at_least(2, horizon=2, samples=1)


def test_threads_are_pinned_and_given_back() -> None:
    before = torch.get_num_threads()
    with pytest.raises(KeyError), pinned(before + 1):
        assert torch.get_num_threads() == before + 1
        raise KeyError
    assert torch.get_num_threads() == before


def test_results_hold_figures_facts_and_medians() -> None:
    figures = (Figure("ratio", 1.5, "of this"), Figure("other", None, "not here"))
    times = Times({"a": (0.003, 0.001, 0.002), "nothing": ()})
    results = Findings(figures, times, {"ms": 2.0}, ("a note",)).results
    assert results == {
        "ratio": 1.5,
        "other": None,
        "ms": 2.0,
        "medians_ms": {"a": 2.0},
        "notes": ["a note"],
    }


def test_the_interval_is_between_order_statistics() -> None:
    # Of ten values, the second smallest to the second largest: 1 - 2 (1 + 10) / 1024 = 97.9 %;
    # one further in on both sides it would be 89.1 %.
    assert interval_of_median([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) == (2, 9)
    assert interval_of_median([1, 2, 3, 4, 5, 6]) == (1, 6)  # 1 - 2 / 64 = 96.9 %
    assert interval_of_median([1, 2, 3, 4, 5]) is None  # 93.75 % at best


@given(st.integers(6, 60), st.integers(0, 2**32))
def test_the_interval_holds_the_median_of_the_values(count: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=count).tolist()
    found = interval_of_median(values)
    assert found is not None
    assert found[0] <= np.median(values) <= found[1]


def test_the_true_median_is_inside_as_often_as_said() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(2000):
        found = interval_of_median(rng.exponential(size=25).tolist())
        assert found is not None
        held += found[0] <= np.log(2) <= found[1]
    assert 0.95 <= held / 2000 <= 0.97  # 95.7 % for 25 values


def test_a_ratio_as_a_figure() -> None:
    times = Times({"own": tuple(range(2, 14)), "other": (2.0,) * 12})
    figure = times.figure("key", "own", "other", "of this", "below 1", times=2.0)
    assert (figure.name, figure.value, figure.goal) == ("key", 7.5, "below 1")
    assert figure.interval == (4.0, 11.0)  # the third of both sides
    assert figure.spread == pytest.approx(3.5 / 7.5)
    missing = times.figure("key", "own", "peer", "of this")
    assert (missing.value, missing.interval, missing.spread) == (None, None, 0.0)
    results = Findings((figure, missing), times, {}).results
    assert results["intervals"] == {"key": [4.0, 11.0]}
