"""Means, paired ratios and intervals that can be worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ros_mbmrl.evaluation.statistics import (
    MEANS,
    Figure,
    Grid,
    bootstrap,
    by_train_seed,
    summarise,
)


def _row(
    method: str, condition: str, seed: int, error: float, stops: int = 0, train_seed: int = 0
) -> dict[str, Any]:
    return {
        **dict.fromkeys(MEANS, 1.0),
        "method": method,
        "train_seed": train_seed,
        "condition": condition,
        "path": "figure8",
        "seed": seed,
        "cross_track_mean_m": error,
        "safety_stops": stops,
    }


def _rows(method: str, errors: list[list[float]], first: int = 0) -> list[dict[str, Any]]:
    """A list of episodes for every training seed from `first` on."""
    return [
        _row(method, "slope", seed, error, train_seed=first + k)
        for k, own in enumerate(errors)
        for seed, error in enumerate(own)
    ]


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_ratio_is_paired_by_condition_path_and_seed() -> None:
    errors = (0.01, 0.02, 0.03, 0.04, 0.1)
    rows = [_row("mb", "slope", seed, error) for seed, error in enumerate(errors)]
    rows += [_row("grbal", "slope", seed, error / 2, 1) for seed, error in enumerate(errors)]
    mb, grbal = summarise(rows, ["mb"], _rng())[:2]
    assert (mb["method"], mb["condition"], mb["n"]) == ("mb", "slope", 5)
    assert mb["cross_track_mean_m"] == pytest.approx(0.04)
    low, high = mb["cross_track_interval_m"]
    assert 0.01 < low < 0.04 < high < 0.1
    assert mb["ratio_to_mb"] == 1.0
    assert grbal["ratio_to_mb"] == pytest.approx(0.5)
    # Each episode is exactly half: the pairs leave no doubt, however far the episodes spread.
    assert grbal["ratio_to_mb_interval"] == pytest.approx((0.5, 0.5))
    assert (mb["safety_stops"], grbal["safety_stops"]) == (0, 5)


def test_means_are_over_training_seeds_and_episodes() -> None:
    rows = _rows("mb", [[0.01, 0.02], [0.03, 0.06]])
    (row, _) = summarise(rows, ["mb"], _rng())
    assert row["cross_track_mean_m"] == pytest.approx(0.03)
    assert (row["n"], row["n_train_seeds"], row["n_episodes"]) == (4, 2, 2)


def test_a_ratio_is_paired_by_training_seed_where_both_have_it() -> None:
    base = [[0.01] * 5, [0.04] * 5]
    rows = _rows("mb", base) + _rows("grbal", [[0.5 * e for e in own] for own in base])
    grbal = summarise(rows, ["mb"], _rng())[1]
    assert grbal["ratio_to_mb"] == pytest.approx(0.5)
    assert grbal["ratio_to_mb_interval"] == pytest.approx((0.5, 0.5))


def test_without_the_same_training_seed_the_opponents_mean_serves() -> None:
    rows = _rows("mb", [[0.01, 0.02], [0.03, 0.02]]) + _rows("grbal", [[0.01, 0.03]], first=7)
    own, base = (Grid.of([r for r in rows if r["method"] == name]) for name in ("grbal", "mb"))
    assert own.paired_with(base) == pytest.approx(np.array([[0.02, 0.02]]))
    assert base.paired_with(base) == pytest.approx(base.errors)
    assert summarise(rows, ["mb"], _rng())[1]["ratio_to_mb"] == pytest.approx(1.0)


def test_several_opponents_and_the_verdict_on_each() -> None:
    rows = _rows("mb", [[0.02] * 5]) + _rows("mb_de", [[0.01] * 5])
    rows += _rows("grbal", [[0.013, 0.014, 0.015, 0.016, 0.017]])
    grbal = summarise(rows, ["mb", "mb_de"], _rng())[2]
    assert grbal["ratio_to_mb"] == pytest.approx(0.75)
    assert grbal["ratio_to_mb_de"] == pytest.approx(1.5)
    assert grbal["ratio_to_mb_de_interval"][0] > 1
    assert grbal["worse_than_mb_de"] is True
    assert grbal["worse_than_mb"] is False


def test_a_difference_within_the_noise_is_no_verdict() -> None:
    rows = _rows("mb", [[0.01, 0.02, 0.01, 0.02, 0.01, 0.02]])
    rows += _rows("grbal", [[0.02, 0.01, 0.02, 0.01, 0.02, 0.013]])
    grbal = summarise(rows, ["mb"], _rng())[1]
    assert grbal["ratio_to_mb"] > 1
    assert grbal["worse_than_mb"] is False


def test_the_last_rows_are_over_all_conditions() -> None:
    rows = [_row("mb", "slope", 0, 0.01), _row("mb", "payload", 0, 0.03)]
    summary = summarise(rows, ["mb"], _rng())
    assert [row["condition"] for row in summary] == ["slope", "payload", "all"]
    assert summary[-1]["cross_track_mean_m"] == pytest.approx(0.02)
    assert summary[-1]["cross_track_interval_m"] is None  # two episodes say nothing of a spread
    assert summary[-1]["worse_than_mb"] is None


def test_without_the_baseline_there_is_no_ratio() -> None:
    summary = summarise([_row("grbal", "slope", 0, 0.01)], ["mb"], _rng())
    assert summary[0]["ratio_to_mb"] is None
    assert summary[0]["ratio_to_mb_interval"] is None
    assert summary[0]["worse_than_mb"] is None


def test_each_training_seed_has_a_line() -> None:
    rows = _rows("mb", [[0.01, 0.03], [0.04, 0.04]]) + _rows("grbal", [[0.01, 0.01]], first=1)
    lines = [
        (r["method"], r["train_seed"], r["cross_track_mean_m"], r["ratio_to_mb"])
        for r in by_train_seed(rows, ["mb", "mb_de"])
    ]
    assert [line[:2] for line in lines] == [("mb", 0), ("mb", 1), ("grbal", 1)]
    assert [line[2] for line in lines] == pytest.approx([0.02, 0.04, 0.01])
    assert [line[3] for line in lines] == pytest.approx([1.0, 1.0, 0.25])


def test_episodes_that_one_did_not_meet_are_an_error() -> None:
    rows = _rows("mb", [[0.01, 0.02]])
    with pytest.raises(ValueError, match="of every training seed"):
        Grid.of([*rows, _row("mb", "slope", 0, 0.01, train_seed=1)])
    with pytest.raises(ValueError, match="of every method"):
        summarise([*rows, *_rows("grbal", [[0.01]])], ["mb"], _rng())


def test_constant_errors_have_an_interval_without_width() -> None:
    assert bootstrap(np.full((3, 6), 0.25), _rng()) == pytest.approx((0.25, 0.25))
    half, whole = np.full((3, 6), 0.5), np.full((3, 6), 1.0)
    assert bootstrap(half, _rng(), whole) == pytest.approx((0.5, 0.5))


def test_training_seeds_are_drawn_independently_of_episodes() -> None:
    # Training seeds differ, episodes do not: only drawing seeds can give a width. Two of two
    # seeds are both the first one in a quarter of the draws, hence the ends.
    of_seeds = np.array([[1.0] * 6, [3.0] * 6])
    assert bootstrap(of_seeds, _rng()) == pytest.approx((1.0, 3.0))
    # Three of six at 1 and three at 3: none at 3 is drawn in 1 of 64, at most one in 7 of 64.
    of_episodes = np.array([[1.0, 1.0, 1.0, 3.0, 3.0, 3.0]])
    assert bootstrap(of_episodes, _rng()) == pytest.approx((4 / 3, 8 / 3))
    # Copies of a training seed add no certainty about the episodes.
    assert bootstrap(of_episodes.repeat(4, axis=0), _rng()) == pytest.approx((4 / 3, 8 / 3))


def test_the_interval_covers_the_mean_about_as_often_as_it_says() -> None:
    rng = _rng()
    intervals = [bootstrap(rng.normal(1.0, 1.0, (1, 30)), rng) for _ in range(200)]
    covered = np.mean([low < 1.0 < high for low, high in filter(None, intervals)])
    assert 0.88 < covered < 0.99


def test_the_interval_covers_the_mean_over_other_training_seeds() -> None:
    rng = _rng()
    covered = []
    for _ in range(200):
        errors = rng.normal(1.0, 0.3, (8, 1)) + rng.normal(0, 0.3, (1, 20))
        low, high = bootstrap(errors + rng.normal(0, 0.3, (8, 20)), rng) or (0.0, 0.0)
        covered.append(low < 1.0 < high)
    assert 0.84 < np.mean(covered) < 0.99


def test_the_typical_ratio_is_of_geometric_means_and_no_single_episode_decides_it() -> None:
    rows = [_row("mb", "slope", k, 0.02) for k in range(6)] + [
        _row("new", "slope", k, 0.01) for k in range(5)
    ]
    rows.append(_row("new", "slope", 5, 0.64))
    found = summarise(rows, ("mb",), np.random.default_rng(0))
    (summary,) = (r for r in found if (r["method"], r["condition"]) == ("new", "slope"))
    # Five halves and a factor of 32: means 0.69 / 0.12, geometric 2^0.
    assert summary["ratio_to_mb"] == pytest.approx(0.69 / 0.12)
    assert summary["typical_ratio_to_mb"] == pytest.approx(1.0)
    low, high = summary["typical_ratio_to_mb_interval"]
    assert low == pytest.approx(0.5) and 1.0 < high < 20.0


COST = Figure("cost", "cost_interval", "cost a step", "J", 10.0, ".3g")


def _costs(method: str, costs: list[float]) -> list[dict[str, Any]]:
    return [{**row, "cost": row["cross_track_mean_m"]} for row in _rows(method, [costs])]


def test_another_figure_is_compared_alike() -> None:
    rows = _costs("mb", [1.0, 2.0, 3.0, 4.0, 10.0]) + _costs("grbal", [0.5, 1.0, 1.5, 2.0, 5.0])
    mb, grbal = summarise(rows, ["mb"], _rng(), COST, ["return"])[:2]
    assert (mb["cost"], grbal["cost"], mb["return"]) == (4.0, 2.0, 1.0)
    assert "cross_track_mean_m" not in mb and "progress_m_s" not in mb
    assert grbal["ratio_to_mb"] == pytest.approx(0.5)
    assert grbal["cost_interval"][0] < 2.0 < grbal["cost_interval"][1]
    assert [line["ratio_to_mb"] for line in by_train_seed(rows, ["mb"], COST)] == [1.0, 0.5]
    assert (COST.title, COST.shown(0.12345)) == ("cost a step [J]", "1.23")


def test_costs_that_are_not_above_0_have_no_ratio() -> None:
    rows = _costs("mb", [-1.0, 2.0, 3.0, 4.0, 5.0]) + _costs("grbal", [1.0] * 5)
    grbal = summarise(rows, ["mb"], _rng(), COST, [])[1]
    names = ("ratio_to_mb", "ratio_to_mb_interval", "worse_than_mb", "typical_ratio_to_mb")
    assert [grbal[name] for name in names] == [None] * 4
    assert by_train_seed(rows, ["mb"], COST)[1]["ratio_to_mb"] is None
