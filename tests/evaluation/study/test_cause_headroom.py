"""The share of the headroom by hand, and which conditions have any."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ros_mbmrl.evaluation.study.cause_headroom import cause_headroom, mean_shares, share, table
from ros_mbmrl.evaluation.study.comparisons import Evidence

METHODS = ("mb", "grbal", "causes", "causes_told", "causes_well", "random")


def _rows(condition: str, spread: float = 0.0, **means: float) -> list[dict[str, Any]]:
    """Six episodes of two training seeds each, all methods moved alike by the episode."""
    return [
        {
            **{"method": method, "train_seed": s, "condition": condition, "seed": k},
            "return": mean + spread * (k + s),
        }
        for method, mean in means.items()
        for s in range(2)
        for k in range(6)
    ]


def _found(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return cause_headroom(Evidence(rows), METHODS, np.random.default_rng(0), 500)


def test_shares_of_what_being_told_is_worth() -> None:
    means = {"mb": 100.0, "grbal": 110.0, "causes": 130.0, "causes_told": 140.0}
    (row,) = _found(_rows("unseen", 3.0, **means, causes_well=80.0, random=1.0))
    assert row["has_headroom"] and row["gain"] == pytest.approx(40.0)
    assert {name: found[0] for name, found in row["shares"].items()} == pytest.approx(
        {"grbal": 0.25, "causes": 0.75}
    )
    assert row["shares"]["causes"][1] == pytest.approx((0.75, 0.75))  # paired: nothing varies
    assert row["share_beside_well"][0] == pytest.approx(50 / 60)


@pytest.mark.parametrize(
    ("mb", "told", "has"), [(100.0, 109.0, False), (100.0, 111.0, True), (-10.0, -8.0, True)]
)
def test_headroom_is_more_than_a_tenth_of_mb(mb: float, told: float, has: bool) -> None:
    (row,) = _found(_rows("unseen", mb=mb, causes=mb, causes_told=told))
    assert row["has_headroom"] == has
    assert row["shares"] == ({"causes": (0.0, (0.0, 0.0))} if has else {})
    assert row["share_beside_well"] is None


def test_the_mean_is_over_conditions_with_headroom() -> None:
    rows = _rows("unseen", mb=100.0, causes=150.0, causes_told=200.0)
    rows += _rows("training", mb=100.0, causes=200.0, causes_told=200.0)
    rows += _rows("switching", mb=100.0, causes=300.0, causes_told=101.0)
    found = _found(rows)
    assert mean_shares(found) == {"causes": 0.75}
    cells = table(found)
    assert cells.columns == ("condition", "MB", "causes told", "gain", "headroom", "causes")
    assert [row[-2] for row in cells.rows] == ["yes", "yes", "no", ""]
    assert [row[-1] for row in cells.rows] == ["50% (50% to 50%)", "100% (100% to 100%)", "", "75%"]


def test_the_interval_is_of_episodes_and_training_seeds_that_all_three_met() -> None:
    rng = np.random.default_rng(1)
    keys = [(s, ("unseen", "", k)) for s in range(4) for k in range(20)]
    base = {key: float(rng.normal()) for key in keys}
    told = {key: value + 10.0 + float(rng.normal()) for key, value in base.items()}
    own = {key: value + 5.0 + float(rng.normal()) for key, value in base.items()}
    found = share(own, told, base, np.random.default_rng(0), 2000)
    assert found is not None and found[1] is not None
    low, high = found[1]
    assert 0.44 < low < 0.5 < high < 0.56 and found[0] == pytest.approx(0.5, abs=0.03)
    few = {key: own[key] for key in keys if key[1][2] < 3}
    found = share(few, told, base, np.random.default_rng(0), 100)
    assert found is not None and found[1] is None
    assert share({}, told, base, np.random.default_rng(0)) is None
    assert share(own, base, base, np.random.default_rng(0)) is None


def test_headroom_that_may_be_chance_is_called_unsure() -> None:
    rows = _rows("unseen", mb=10.0, causes=12.0, causes_told=12.0)
    for row in rows:
        row["return"] += row["seed"] ** 2 if row["method"] == "mb" else 0.0
    (row,) = _found(rows)
    assert not row["has_headroom"]
    for row in rows:
        row["return"] -= 9.0 if row["method"] == "mb" else 0.0
    (row,) = _found(rows)
    assert row["has_headroom"] and row["gain_interval"][0] < 0
    assert table([row]).rows[0][4] == "unsure"


def test_without_the_references_there_are_no_rows() -> None:
    assert _found(_rows("unseen", mb=100.0, causes=150.0)) == []
