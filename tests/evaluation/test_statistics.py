"""Means, paired ratios and intervals that can be worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ros_mbmrl.evaluation.statistics import MEANS, bootstrap, summarise


def _row(method: str, condition: str, seed: int, error: float, stops: int = 0) -> dict[str, Any]:
    return {
        **dict.fromkeys(MEANS, 1.0),
        "method": method,
        "condition": condition,
        "path": "figure8",
        "seed": seed,
        "cross_track_mean_m": error,
        "safety_stops": stops,
    }


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_ratio_is_paired_by_condition_path_and_seed() -> None:
    errors = (0.01, 0.02, 0.03, 0.04, 0.1)
    rows = [_row("mb", "slope", seed, error) for seed, error in enumerate(errors)]
    rows += [_row("grbal", "slope", seed, error / 2, 1) for seed, error in enumerate(errors)]
    mb, grbal = summarise(rows, "mb", _rng())[:2]
    assert (mb["method"], mb["condition"], mb["n"]) == ("mb", "slope", 5)
    assert mb["cross_track_mean_m"] == pytest.approx(0.04)
    low, high = mb["cross_track_interval_m"]
    assert 0.01 < low < 0.04 < high < 0.1
    assert mb["ratio_to_mb"] == 1.0
    assert grbal["ratio_to_mb"] == pytest.approx(0.5)
    # Each episode is exactly half: the pairs leave no doubt, however far the episodes spread.
    assert grbal["ratio_to_mb_interval"] == pytest.approx((0.5, 0.5))
    assert (mb["safety_stops"], grbal["safety_stops"]) == (0, 5)


def test_the_last_rows_are_over_all_conditions() -> None:
    rows = [_row("mb", "slope", 0, 0.01), _row("mb", "payload", 0, 0.03)]
    summary = summarise(rows, "mb", _rng())
    assert [row["condition"] for row in summary] == ["slope", "payload", "all"]
    assert summary[-1]["cross_track_mean_m"] == pytest.approx(0.02)
    assert summary[-1]["cross_track_interval_m"] is None  # two episodes say nothing of a spread


def test_without_the_baseline_there_is_no_ratio() -> None:
    summary = summarise([_row("grbal", "slope", 0, 0.01)], "mb", _rng())
    assert summary[0]["ratio_to_mb"] is None
    assert summary[0]["ratio_to_mb_interval"] is None


def test_the_interval_covers_the_mean_about_as_often_as_it_says() -> None:
    rng = _rng()
    intervals = [bootstrap(rng.normal(1.0, 1.0, (1, 30)), rng) for _ in range(200)]
    covered = np.mean([low < 1.0 < high for low, high in filter(None, intervals)])
    assert 0.88 < covered < 0.99
