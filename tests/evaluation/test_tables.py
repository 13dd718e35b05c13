"""Cells as they are read, on the page and in the terminal."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from ros_mbmrl.evaluation.tables import by_path, comparison, printed

SUMMARY = [
    {
        "method": method,
        "condition": "slope",
        "cross_track_mean_m": error,
        "ratio_to_mb": ratio,
        "ratio_to_mb_interval": interval,
    }
    for method, error, ratio, interval in (
        ("mb", 0.02, 1.0, (1.0, 1.0)),
        ("grbal", 0.01, 0.5, (0.4, 0.75)),
        ("context", 0.015, 0.75, None),
    )
]


def test_the_comparison_gives_ratio_and_interval_where_there_is_one() -> None:
    table = comparison(SUMMARY, "mb")
    assert table.columns == ("condition", "mb", "grbal", "context")
    assert table.rows == [("slope", "2.00", "1.00 (0.50, 0.40 to 0.75)", "1.50 (0.75)")]


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
    console = Console(file=StringIO(), width=100)
    console.print(printed(comparison(SUMMARY, "mb")))
    assert "[cm]" in console.file.getvalue()  # type: ignore[attr-defined]
