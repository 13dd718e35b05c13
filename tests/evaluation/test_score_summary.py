"""Figures over training seeds, worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ros_mbmrl.evaluation.score_summary import adaptation, ratios, summarise

AVERAGE = "mean of terrains"


def _rows(model: str, seed: int, medians: dict[str, float], worst: float = 2.0) -> list[Any]:
    """Prior and adapted rows a tag: the prior's median is twice the adapted model's."""
    rows = []
    for tag, median in medians.items():
        for factor in (2.0, 1.0):
            row = {"model": model, "train_seed": seed, "tag": tag, "horizon": 1, "n": 10}
            row |= {"median": factor * median, "median_m": factor * median / 100}
            row |= {"median_rad": factor * math.radians(median)}
            row |= {"worst_ratio": worst, "window_worst_ratio": worst / 2}
            row |= {"improved_fraction": worst / 10, "worse_than_1_05_fraction": 0.25}
            rows.append({**row, "accepted_fraction": 0.5})
    return rows


def _found(summary: list[dict[str, Any]], method: str, tag: str) -> dict[str, Any]:
    (row,) = (row for row in summary if (row["method"], row["tag"]) == (method, tag))
    return row


def test_medians_are_averaged_over_training_seeds_and_ratios_are_paired() -> None:
    rows = _rows("mb", 0, {"turf": 1.0, "all": 1.0}) + _rows("mb", 1, {"turf": 4.0, "all": 4.0})
    rows += _rows("grbal", 0, {"turf": 0.5, "all": 0.5}, worst=4.0)
    rows += _rows("grbal", 1, {"turf": 3.0, "all": 3.0})
    row = _found(summarise(rows, AVERAGE), "grbal", "turf")
    assert (row["horizon"], row["n"], row["n_train_seeds"]) == (1, 10, 2)
    spread = [row[f"median_adapted{end}"] for end in ("", "_min", "_max")]
    assert spread == pytest.approx([1.75, 0.5, 3.0])
    assert row["median_prior"] == pytest.approx(3.5)
    assert row["median_m_adapted"] == pytest.approx(0.0175)
    assert row["median_deg_adapted"] == pytest.approx(1.75)
    for unit in ("", "_m", "_deg"):
        spread = [row[f"ratio_to_mb{unit}{end}"] for end in ("", "_min", "_max")]
        assert spread == pytest.approx([0.625, 0.5, 0.75])
    assert (row["worst_ratio"], row["window_worst_ratio"]) == (4.0, 2.0)
    assert row["improved_fraction"] == pytest.approx(0.3)


def test_the_mean_over_the_tags_is_of_the_ratios_and_leaves_out_all() -> None:
    rows = _rows("mb", 0, {"carpet": 1.0, "turf": 10.0, "all": 7.0})
    rows += _rows("grbal", 0, {"carpet": 0.5, "turf": 9.0, "all": 1.0})
    row = _found(summarise(rows, AVERAGE), "grbal", AVERAGE)
    assert row["ratio_to_mb"] == pytest.approx(0.7)
    assert row["median_adapted"] == pytest.approx(4.75)
    assert row["n"] == 20


def test_a_training_seed_that_mb_lacks_is_compared_with_its_mean() -> None:
    rows = _rows("mb", 0, {"turf": 1.0}) + _rows("mb", 1, {"turf": 3.0})
    rows += _rows("grbal", 7, {"turf": 1.0})
    assert _found(summarise(rows, AVERAGE), "grbal", "turf")["ratio_to_mb"] == pytest.approx(0.5)


def test_without_mb_there_is_no_ratio() -> None:
    summary = summarise(_rows("grbal", 0, {"turf": 1.0}), AVERAGE)
    assert [row["ratio_to_mb_min"] for row in summary] == [None, None]
    assert "" in ratios(summary).rows[0]


def test_tables_have_a_line_a_method_and_tag() -> None:
    rows = _rows("mb", 0, {"turf": 1.0}) + _rows("grbal", 0, {"turf": 0.5})
    rows += _rows("grbal", 1, {"turf": 0.75})
    summary = summarise(rows, AVERAGE)
    lines = {line[:2]: line for line in ratios(summary).rows}
    assert lines["grbal", "turf"][2:7] == ("1", "2", "10", "0.625", "0.625 (0.500 to 0.750)")
    assert lines["mb", "turf"][6] == ""
    assert adaptation(summary).rows[0][3:6] == ("2 > 1", "2 > 1", "2 > 1")
