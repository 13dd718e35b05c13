"""Contenders run in turn, and only what is to be timed is."""

from __future__ import annotations

import gc

import pytest
import torch

from ros_mbmrl.bench.timing import Contender, Figure, Findings, Times, at_least, interleave, pinned


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
