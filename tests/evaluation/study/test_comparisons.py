"""Differences, verdicts and families that can be worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.evaluation.study.comparisons import (
    BETTER,
    NULL,
    WORSE,
    Comparison,
    Evidence,
    compare_all,
    corrected,
)


@dataclass(frozen=True)
class Stated:
    better: str
    worse: str
    conditions: tuple[str, ...] = ()
    measure: str = "return"


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _rows(method: str, returns: Any, condition: str = "unseen") -> list[dict[str, Any]]:
    """returns (S, E): a training seed a row."""
    return [
        {"method": method, "train_seed": s, "condition": condition, "seed": e, "return": value}
        for s, own in enumerate(returns)
        for e, value in enumerate(own)
    ]


def _compare(rows: list[dict[str, Any]], *key: Any, **settings: Any) -> Comparison:
    found = Evidence(rows, **settings).compare(key, _rng(), 1000)  # type: ignore[arg-type]
    assert found is not None
    return found


def _noisy(mean: float, seeds: int = 5, episodes: int = 10, salt: int = 0) -> Any:
    return np.random.default_rng(salt).normal(mean, 1.0, (seeds, episodes))


def test_a_difference_is_paired() -> None:
    base = _noisy(100.0)
    rows = _rows("mb", base) + _rows("grbal", base + 12.0)
    found = _compare(rows, "grbal", "mb", ("unseen",), "return")
    assert found.difference == pytest.approx(12.0)
    assert found.interval == pytest.approx((12.0, 12.0))
    assert (found.mean, found.opponent_mean) == pytest.approx((base.mean() + 12, base.mean()))
    assert found.percent is not None
    assert found.percent[0] == pytest.approx(1200 / base.mean())
    assert (found.n_train_seeds, found.n_episodes) == (5, 10)


@pytest.mark.parametrize("conditions", [("unseen",), ("unseen", "fast")])
def test_swapping_the_methods_flips_the_signs(conditions: tuple[str, ...]) -> None:
    rows = [
        row
        for k, condition in enumerate(conditions)
        for method, mean in (("mb", 10.0), ("grbal", 10.4))
        for row in _rows(method, _noisy(mean, salt=k + int(mean * 10)), condition)
    ]
    one = _compare(rows, "grbal", "mb", conditions, "return")
    other = _compare(rows, "mb", "grbal", conditions, "return")
    assert one.interval is not None and other.interval is not None
    assert one.difference == pytest.approx(-other.difference)
    assert one.interval == pytest.approx((-other.interval[1], -other.interval[0]))
    assert one.p == pytest.approx(other.p)
    one, other = corrected([one])[0], corrected([other])[0]
    assert {one.verdict, other.verdict} in ({BETTER, WORSE}, {NULL})


def test_the_verdict_is_by_the_corrected_p_value_and_the_direction() -> None:
    rows = _rows("mb", _noisy(10.0)) + _rows("grbal", _noisy(13.0, salt=1))
    found = _compare(rows, "grbal", "mb", ("unseen",), "return")
    assert found.verdict == NULL  # nothing is said before the correction
    assert corrected([found])[0].verdict == BETTER
    assert corrected([found] * 600)[0].verdict == NULL
    lower = _compare(rows, "grbal", "mb", ("unseen",), "return", higher_is_better=False)
    assert corrected([lower])[0].verdict == WORSE


def test_noise_is_no_difference() -> None:
    rows = _rows("mb", _noisy(10.0)) + _rows("grbal", _noisy(10.0, salt=1))
    found = corrected([_compare(rows, "grbal", "mb", ("unseen",), "return")])[0]
    assert found.p_holm is not None and found.p_holm > 0.05
    assert found.verdict == NULL


def test_noise_is_rarely_a_difference_in_a_whole_family() -> None:
    rng, false = _rng(), 0
    for _ in range(100):
        rows = [
            row
            for method in ("mb", "a", "b", "c")
            for row in _rows(method, rng.normal(0, 1, (4, 6)) + rng.normal(0, 1, (4, 1)))
        ]
        found = compare_all(Evidence(rows), ("mb", "a", "b", "c"), ("mb",), (), rng, 600)
        false += any(c.verdict != NULL for c in found)
    assert false <= 10  # 5 expected at most


def test_percent_where_it_says_something() -> None:
    def percent(mean: float, difference: float) -> Any:
        rows = _rows("mb", [[mean] * 5]) + _rows("grbal", [[mean + difference] * 5])
        return _compare(rows, "grbal", "mb", ("unseen",), "return").percent

    assert percent(200.0, 24.0) == (pytest.approx(12.0), pytest.approx((12.0, 12.0)))
    assert percent(-3.0, 1.0) is None  # 33 % of a negative return is not more
    assert percent(1.0, 100.0) is None


def test_errors_are_compared_on_the_same_rollouts_by_their_logarithm() -> None:
    rollouts = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]

    def record(method: str, factor: float) -> dict[str, Any]:
        names = {"method": method, "train_seed": 0, "condition": "unseen", "rollout": rollouts}
        before = [0.1, 0.3, 0.2, 0.1, 0.3, 0.2, 0.4, 0.1, 0.2, 9.0]
        return {**names, "before": before, "after": [factor * e for e in before]}

    evidence = Evidence([], [record("mb", 1.0), record("grbal", 0.8)])
    versus = evidence.compare(("grbal", "mb", ("unseen",), "error"), _rng(), 1000)
    itself = evidence.compare(("grbal", "grbal", ("unseen",), "error"), _rng(), 1000)
    for found in (versus, itself):  # against itself: of its prior
        assert found is not None and found.percent is not None
        assert found.percent[0] == pytest.approx(-20.0)
        assert (found.n_train_seeds, found.n_episodes) == (1, 5)
        assert corrected([found])[0].verdict == BETTER  # lower is better


def test_the_family_has_hypotheses_first_and_nothing_twice() -> None:
    rows = [
        row
        for method in ("mb", "mb_de", "grbal", "mb_oracle")
        for condition in ("unseen", "fast")
        for row in _rows(method, _noisy(1.0), condition)
    ]
    stated = (Stated("mb", "grbal", ("fast",)), Stated("grbal", "mb_de"), Stated("rebal", "mb"))
    methods = ("mb", "mb_de", "grbal", "mb_oracle")
    found = compare_all(Evidence(rows), methods, ("mb",), stated, _rng(), 200)
    assert [(c.method, c.opponent, c.conditions) for c in found] == [
        ("mb", "grbal", ("fast",)),
        ("grbal", "mb_de", ("unseen", "fast")),
        ("mb_de", "mb", ("unseen",)),
        ("grbal", "mb", ("unseen",)),
        ("mb_de", "mb", ("fast",)),
    ]


def test_what_did_not_take_part_is_not_compared() -> None:
    evidence = Evidence(_rows("mb", _noisy(1.0)) + _rows("grbal", _noisy(1.0), "fast"))
    assert evidence.compare(("grbal", "mb", ("fast",), "return"), _rng()) is None
    assert evidence.compare(("mb", "mb", ("unseen", "fast"), "return"), _rng()) is None
    assert evidence.compare(("mb", "mb", ("unseen",), "error"), _rng()) is None
