"""Figures of curves that are written down here: means, gaps, and what is equal data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ros_mbmrl.evaluation.policies.studies import make_policy_study
from ros_mbmrl.evaluation.policies.summary import (
    at_equal_data,
    beside_published,
    curve_figures,
    final_figures,
    newest,
    summarise,
)
from ros_mbmrl.evaluation.policies.summary import tests as rows_of_tests

NAMES = ("me_trpo", "trpo")
PLACE = "me-trpo-swimmer"


def point(
    method: str, seed: int, transitions: int, value: float, imagined: float | None = None
) -> dict[str, Any]:
    """A point of a curve whose five tests are `value` - 2, ... `value` + 2."""
    row = {"method": method, "train_seed": seed, "condition": PLACE, "transitions": transitions}
    row |= {"return": value, "returns": [value + k for k in (-2, -1, 0, 1, 2)]}
    row |= {"return_exploring": value - 10.0, "return_before": None}
    return row if imagined is None else row | {"imagined": imagined, "optimism": imagined - value}


ROWS = [
    *(point("me_trpo", seed, n, n / 10 + seed, 100.0) for seed in (0, 2) for n in (100, 200)),
    *(point("trpo", seed, n, n / 100 + seed, None) for seed in (0, 2) for n in (150, 400)),
]


def test_a_policy_is_its_curves_end_with_the_models_gap() -> None:
    rng = np.random.default_rng(0)
    ours, free = final_figures(ROWS, NAMES, rng, resamples=500)
    assert (ours["transitions"], ours["return"]) == (200, pytest.approx(21.0))
    assert ours["imagined"] == 100.0 and ours["optimism"] == pytest.approx(79.0)
    low, high = ours["optimism_interval"]
    assert low < 79.0 < high
    assert (ours["n_train_seeds"], ours["n_tests"]) == (2, 5)
    assert (free["transitions"], free["return"], free["optimism"]) == (400, 5.0, None)


def test_equal_data_is_the_shortest_curve() -> None:
    """TRPO's newest point up to 200 transitions is that of 150."""
    found, shared = at_equal_data(ROWS, NAMES, np.random.default_rng(0), resamples=500)
    assert [(row["method"], row["transitions"]) for row in found] == [
        *(("me_trpo", 200), ("trpo", 150))
    ]
    assert [row["limit"] for row in found] == [200, 200]
    assert [row["return"] for row in found] == pytest.approx([21.0, 2.5])
    assert len(shared) == 20


def test_an_entry_that_begins_later_has_nothing_to_compare() -> None:
    rows = [row for row in ROWS if row["method"] == "me_trpo" or row["transitions"] == 400]
    found, _ = at_equal_data(rows, NAMES, np.random.default_rng(0), resamples=100)
    assert [row["method"] for row in found] == ["me_trpo"]


def test_the_summary_compares_paired_tests() -> None:
    study = make_policy_study("me-trpo")
    summary = summarise(study, ROWS, np.random.default_rng(0), resamples=2000)
    (compared,) = summary["comparisons"]
    assert (compared["method"], compared["opponent"]) == ("me_trpo", "trpo")
    assert compared["difference"] == pytest.approx(18.5)
    assert compared["verdict"] == "better"
    assert summary["open"] == dict(study.open)


def test_curves_are_means_over_training_seeds() -> None:
    first = curve_figures(ROWS, NAMES)[0]
    assert (first["transitions"], first["n_train_seeds"]) == (100, 2)
    assert first["return"] == pytest.approx(11.0)
    assert first["return_exploring"] == pytest.approx(1.0)


def test_a_published_value_is_met_at_as_much_data_or_not_at_all() -> None:
    place = {"condition": "mbbl-half-cheetah"}
    rows = [point("me_trpo", 0, n, n / 1000) | place for n in (150_000, 201_000, 300_000)]
    (found,) = beside_published(rows, NAMES)
    assert (found["transitions"], found["return"]) == (201_000, 201.0)
    assert (found["published"], found["published_transitions"]) == (2283.0, 200_000)
    (early,) = beside_published(rows[:1], NAMES)
    assert early["transitions"] is None and early["return"] is None


def test_rows_of_tests_are_paired_by_their_number() -> None:
    rows = rows_of_tests(newest(ROWS[:2]))
    assert [row["seed"] for row in rows] == [0, 1, 2, 3, 4]
    assert [row["optimism"] for row in rows] == pytest.approx([82.0, 81.0, 80.0, 79.0, 78.0])
