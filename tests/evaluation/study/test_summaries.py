"""Means, scales and fractions by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ros_mbmrl.evaluation.study.comparisons import Evidence
from ros_mbmrl.evaluation.study.summaries import headroom, oracle_scale, returns, updates


def _rows(condition: str, **means: float) -> list[dict[str, Any]]:
    """Five episodes of one training seed each, at -1, 0, 0, 0 and 1 around the mean."""
    return [
        {
            "method": method,
            "train_seed": None if method in ("random", "true_model") else 0,
            "condition": condition,
            "seed": k,
            "return": mean + offset,
            "return_after": mean / 2,
            "accepted_fraction": 0.5,
            "safety_stops": int(k == 0),
        }
        for method, mean in means.items()
        for k, offset in enumerate((-1.0, 0.0, 0.0, 0.0, 1.0))
    ]


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_returns_are_normalised_by_the_oracle() -> None:
    rows = _rows("unseen", grbal=90.0, mb_oracle=120.0, random=10.0)
    grbal, oracle, chance = returns(rows, ("grbal", "mb_oracle", "random"), _rng(), 500)
    assert (grbal["normalised"], oracle["normalised"]) == pytest.approx((0.75, 1.0))
    assert chance["normalised"] == pytest.approx(10 / 120)
    assert grbal["normalised_by"] == "oracle"
    assert grbal["normalised_interval"] == pytest.approx(
        tuple(end / 120 for end in grbal["return_interval"])
    )
    assert (grbal["n_train_seeds"], grbal["n_episodes"], grbal["safety_stops"]) == (1, 5, 1)
    assert (grbal["return_after"], grbal["accepted_fraction"]) == (45.0, 0.5)


def test_a_negative_return_is_normalised_above_random() -> None:
    rows = _rows("force", grbal=-4.0, mb_oracle=-2.0, random=-10.0)
    (grbal,) = returns(rows, ("grbal",), _rng(), 500)
    assert grbal["normalised"] == pytest.approx(0.75)
    assert grbal["normalised_by"] == "oracle above random"


def test_without_a_scale_there_is_nothing_normalised() -> None:
    assert oracle_scale(_rows("a", grbal=1.0), "a") is None
    assert oracle_scale(_rows("a", mb_oracle=-3.0), "a") is None
    assert oracle_scale(_rows("a", mb_oracle=-3.0, random=-2.0), "a") is None
    (row,) = returns(_rows("a", grbal=1.0), ("grbal",), _rng(), 500)
    assert row["normalised"] is row["normalised_interval"] is row["normalised_by"] is None


def test_errors_before_and_after_by_hand() -> None:
    record = {
        "method": "grbal",
        "train_seed": 0,
        "condition": "unseen",
        "before": [1.0, 2.0, 4.0, 4.0, 9.0],
        "after": [0.5, 1.0, 2.0, 5.0, 4.5],
        "rollout": [0, 1, 2, 3, 4],
        "time": [1.0] * 5,
    }
    (row,) = updates([record], ("mb", "grbal"), _rng(), 500)
    assert (row["n"], row["median_before"], row["median_after"]) == (5, 4.0, 2.0)
    assert (row["mean_before"], row["mean_after"]) == pytest.approx((4.0, 2.6))
    assert row["improved"] == pytest.approx(0.8)
    assert row["typical_ratio"] == pytest.approx((0.5**4 * 1.25) ** 0.2)


def test_headroom_is_what_the_true_model_is_worth() -> None:
    rows = _rows("unseen", mb=100.0, grbal=105.0, true_model=120.0)
    rows += _rows("trained", mb=100.0, grbal=105.0, true_model=100.0) + _rows("other", mb=1.0)
    unseen, trained = headroom(Evidence(rows), ("mb", "grbal", "true_model"), _rng(), 500)
    assert unseen["gain"] == pytest.approx(20.0)
    assert unseen["percent"][0] == pytest.approx(20.0)
    assert unseen["reached"] == pytest.approx({"grbal": 0.25})
    assert (trained["gain"], trained["reached"]) == (0.0, {})
