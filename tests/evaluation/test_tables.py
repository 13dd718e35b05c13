"""Cells as they are read, on the page and in the terminal."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console

from ros_mbmrl.evaluation.statistics import Figure
from ros_mbmrl.evaluation.tables import (
    by_path,
    comparison,
    details,
    interval_note,
    printed,
    training_seeds,
)


def _row(method: str, error: float, ratio: float | None, interval: Any, seeds: int = 5) -> Any:
    return {
        "method": method,
        "condition": "slope",
        "n_train_seeds": seeds,
        "cross_track_mean_m": error,
        "cross_track_interval_m": None,
        "ratio_to_mb": ratio,
        "ratio_to_mb_interval": interval,
        "typical_ratio_to_mb": None if ratio is None else ratio / 2,
        "typical_ratio_to_mb_interval": None,
        "worse_than_mb": None if interval is None else interval[0] > 1,
    }


SUMMARY = [
    _row("mb", 0.02, 1.0, (1.0, 1.0)),
    {**_row("grbal", 0.01, 0.5, (0.4, 0.75)), "cross_track_interval_m": (0.008, 0.012)},
    _row("context", 0.015, 0.75, None),
    _row("rebal", 0.03, 1.5, (1.2, 1.8)),
]


def test_the_comparison_gives_ratio_interval_and_verdict_where_there_is_one() -> None:
    table = comparison(SUMMARY, ["mb"])
    assert table.columns == (
        *("condition", "method", "cross-track error [cm]", "ratio to mb", "typical ratio to mb"),
        "beyond noise",
    )
    assert table.rows == [
        ("slope", "mb", "2.00", "", "", ""),
        ("slope", "grbal", "1.00 (0.80 to 1.20)", "0.50 (0.40 to 0.75)", "0.25", ""),
        ("slope", "context", "1.50", "0.75", "0.38", ""),
        ("slope", "rebal", "3.00", "1.50 (1.20 to 1.80)", "0.75", "worse than mb"),
    ]


def test_before_and_after_of_another_figure_stand_side_by_side() -> None:
    cost = Figure("cost", "cost_interval", "cost", digits=".3g")
    own = {"cost": 0.01234, "cost_interval": (0.01, 0.02), "cost_before": 0.5}
    table = comparison([{**_row("mb", 0.0, None, None), **own}], ["mb"], cost, "cost_before")
    columns = ("condition", "method", "cost before", "cost after", "beyond noise")
    assert table.columns == columns  # no ratio: nothing has one
    assert table.rows == [("slope", "mb", "0.5", "0.0123 (0.01 to 0.02)", "")]


def test_details_are_those_that_there_are() -> None:
    own = {"n_episodes": 5, "return": -1.5, "safety_stops": 0}
    table = details([{**_row("mb", 0.02, None, None), **own}])
    columns = ("condition", "method", "training seeds", "episodes", "return", "stops")
    assert table.columns == columns
    assert table.rows == [("slope", "mb", "5", "5", "-1.50", "0")]


def test_the_caption_says_what_the_interval_is_over() -> None:
    one, five = _row("mb", 0.02, 1.0, None, seeds=1), _row("grbal", 0.01, 0.5, None)
    assert "over 5 training seeds and the episodes" in interval_note([five])
    assert "episodes only: of one training seed" in interval_note([one])
    assert "only where a method has one training seed" in interval_note([one, five])


def test_training_seeds_stand_side_by_side() -> None:
    rows = [
        {"method": method, "train_seed": seed, "cross_track_mean_m": error}
        for method, seed, error in (("mb", 0, 0.01), ("mb", 1, 0.03), ("grbal", 1, 0.02))
    ]
    table = training_seeds(rows)
    assert table.columns == ("method", "seed 0", "seed 1", "standard deviation")
    assert table.rows == [("mb", "1.00", "3.00", "1.41"), ("grbal", "", "2.00", "")]


def test_by_path_is_laid_out_as_table_2() -> None:
    rows = [
        {"condition": "turf", "method": method, "path": path, "cross_track_mean_m": error}
        for method, path, error in (
            ("mb", "left", 0.01),
            ("mb", "left", 0.03),
            ("mb", "straight", 0.01),
            ("grbal", "left", 0.04),
            ("grbal", "straight", 0.05),
        )
    ]
    table = by_path(rows)
    assert table.columns == ("condition", "method", "left", "straight")
    assert table.rows == [("turf", "mb", "2.00", "1.00"), ("turf", "grbal", "4.00", "5.00")]


def test_units_in_brackets_reach_the_terminal() -> None:
    console = Console(file=StringIO(), width=120)
    console.print(printed(comparison(SUMMARY, ["mb"])))
    assert "[cm]" in console.file.getvalue()  # type: ignore[attr-defined]
