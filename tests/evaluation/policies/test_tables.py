"""Cells of the tables, from a summary that is written down here."""

from __future__ import annotations

from typing import Any

from ros_mbmrl.evaluation.policies import tables
from ros_mbmrl.evaluation.policies.studies import make_policy_study

LOOKS = {entry.name: entry.look for entry in make_policy_study("me-trpo").entries}
FINAL = {
    "method": "me_trpo_10",
    "condition": "a",
    "transitions": 3000,
    "return": 100.0,
    "return_interval": (90.0, 110.0),
    "return_before": None,
    "imagined": 150.0,
    "optimism": 50.0,
    "optimism_interval": None,
    "n_train_seeds": 2,
    "n_tests": 10,
}


def test_a_line_says_the_return_and_how_optimistic_the_models_were() -> None:
    table = tables.finals([FINAL], LOOKS)
    assert table.rows == [
        ("a", "ME-TRPO, 10 models", "3000", "100 (90.0 to 110)", "", "150", "50.0", "2 x 10")
    ]


def test_equal_data_names_its_limit() -> None:
    rows = [{**FINAL, "limit": 3000}, {**FINAL, "method": "trpo", "limit": 3000}]
    table = tables.equal_data(rows, LOOKS)
    assert table.columns == ("method", "a")
    assert [line[0] for line in table.rows] == ["ME-TRPO, 10 models", "TRPO"]
    assert "a 3000" in table.caption


def test_a_published_return_has_its_source() -> None:
    row: dict[str, Any] = {
        "method": "me_trpo",
        "condition": "a",
        "transitions": None,
        "return": None,
    }
    row |= {"published": 2283.0, "published_transitions": 200_000, "source": "W"}
    assert tables.published([row], LOOKS).rows == [("a", "ME-TRPO", "", "", "2283 at 200000", "W")]


def test_plans_are_beside_what_they_refine() -> None:
    row = {"method": "me_trpo", "condition": "a", "n_tests": 2, "return": 10.0}
    table = tables.planned([{**row, "return_planned": 12.0}], LOOKS)
    assert table.rows == [("a", "ME-TRPO", "10.0", "12.0", "2")]


def test_tables_without_rows_are_left_out() -> None:
    summary = {"finals": [FINAL], "equal_data": [], "comparisons": [], "published": []}
    assert len(tables.all_tables(summary, LOOKS)) == 1
