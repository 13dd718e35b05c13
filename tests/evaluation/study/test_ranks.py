"""Ranks by hand, over experiments of different units and directions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ros_mbmrl.evaluation.study.ranks import Ranked, common_methods, mean_ranks, rank_difference


def _rows(means: dict[str, float], condition: str, name: str = "return", noise: float = 0.0) -> Any:
    rng = np.random.default_rng(0)
    return [
        {"method": method, "train_seed": s, "condition": condition, "seed": e}
        | {name: mean + noise * rng.normal()}
        for method, mean in means.items()
        for s in range(3)
        for e in range(6)
    ]


RUN = Ranked(
    _rows({"mb": 1.0, "mb_de": 2.0, "grbal": 3.0}, "unseen")
    + _rows({"mb": 5.0, "mb_de": 4.0, "grbal": 5.0}, "fast")
)
# Lower is better there.
WALK = Ranked(
    _rows({"grbal": 0.01, "mb": 0.03, "mb_de": 0.02, "context": 0.0}, "leg_lost", "cross_track"),
    "cross_track",
    higher_is_better=False,
)
METHODS = ("mb", "mb_de", "grbal")


def test_mean_ranks_by_hand() -> None:
    assert common_methods([RUN, WALK]) == METHODS
    # unseen: 3, 2, 1; fast: 1.5, 3, 1.5; leg_lost: 3, 2, 1.
    ranks = mean_ranks([RUN, WALK], METHODS)
    assert ranks == pytest.approx({"mb": 7.5 / 3, "mb_de": 7 / 3, "grbal": 3.5 / 3})
    assert mean_ranks([WALK], ("mb", "grbal")) == {"mb": 2.0, "grbal": 1.0}


def test_without_noise_the_difference_is_sure() -> None:
    found = rank_difference([WALK], "grbal", "mb", METHODS, np.random.default_rng(0), 500)
    assert found.value == pytest.approx(-2.0)
    assert found.interval == pytest.approx((-2.0, -2.0))


def test_the_difference_of_ranks_flips_and_knows_noise_from_order() -> None:
    clear = Ranked(_rows({"mb": 0.0, "mb_de": 0.0, "grbal": 9.0}, "unseen", noise=1.0))
    ends = {}
    for pair in (("grbal", "mb"), ("mb", "grbal"), ("mb_de", "mb")):
        found = rank_difference([clear], *pair, METHODS, np.random.default_rng(0), 2000)
        assert found.interval is not None
        ends[pair] = found.interval
    assert ends["grbal", "mb"][1] < 0
    assert ends["mb", "grbal"] == pytest.approx(tuple(-e for e in reversed(ends["grbal", "mb"])))
    assert ends["mb_de", "mb"][0] < 0 < ends["mb_de", "mb"][1]


def test_other_episodes_are_an_error() -> None:
    with pytest.raises(ValueError, match="the same training seeds and episodes"):
        mean_ranks([Ranked(RUN.rows[:-1])], METHODS)
