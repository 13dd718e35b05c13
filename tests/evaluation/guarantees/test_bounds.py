"""Bounds from estimates that are known, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ros_mbmrl.evaluation.guarantees.bounds import (
    MEMB,
    Bound,
    Estimates,
    as_rows,
    bounds_of,
    inputs_of,
)
from ros_mbmrl.evaluation.guarantees.model_error import ModelError
from ros_mbmrl.evaluation.guarantees.policy_divergence import PolicyDivergence
from ros_mbmrl.evaluation.guarantees.smoothness import Constants

KNOWN = Estimates(
    discount=0.5,
    reward=2.0,
    horizon=1,
    model=ModelError(-1.0, 0.1, 0.05, 0.3, 0.1, 40),
    policy=PolicyDivergence(0.02, 0.2, 0.1, 0.4, 0.2, 90),
    smooth=Constants(model=0.5, policy=1.2, reward=1.0, loop=0.7),
    imagined=3.0,
    noise=0.1,
)


def named(bounds: list[Bound], name: str, source: str = "") -> Bound:
    (found,) = (b for b in bounds if b.name.startswith(name) and source in b.source)
    return found


def test_theorem_1_by_hand() -> None:
    """2 r (g (e_m + 2 e_pi) / (1 - g)^2 + 2 e_pi / (1 - g)) = 4 (2 .5 + 4 .2) = 7.2 < 8."""
    found = named(bounds_of(KNOWN), "theorem 1 (table 1)")
    assert found.value == pytest.approx(7.2) and found.vacuous is False
    assert found.of_means == pytest.approx(3.6)
    assert found.guaranteed == pytest.approx(3.0 - 7.2)


def test_a_vacuous_bound_says_so() -> None:
    worse = replace(KNOWN, model=replace(KNOWN.model, variation=0.9))
    found = named(bounds_of(worse), "theorem 1 (table 1)")
    assert found.vacuous and found.value == pytest.approx(4 * (2 * 1.3 + 0.8))


def test_a_system_that_does_not_contract_has_no_wasserstein_bound() -> None:
    assert named(bounds_of(KNOWN), "theorem 1", MEMB).value is not None
    wild = replace(KNOWN, smooth=replace(KNOWN.smooth, model=1.0))
    found = named(bounds_of(wild), "theorem 2", MEMB)
    assert found.value is None and found.vacuous is None
    assert "K_pi K_m = 1.2, expected less than 1" in found.why


def test_what_no_data_tell_is_not_made_up() -> None:
    found = named(bounds_of(KNOWN), "lemmas 1 and 2")
    assert found.value is None and "K = 1, L = 0.6, L_r = 1" in found.why


def test_a_discount_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="0 <= discount < 1, got 1"):
        bounds_of(replace(KNOWN, discount=1.0))


def test_rows_are_plain() -> None:
    rows = as_rows(bounds_of(KNOWN))
    assert len(rows) == 10 and rows[0]["vacuous"] is False
    inputs = {row["name"]: row for row in inputs_of(KNOWN)}
    assert inputs["epsilon_m"]["value"] == 0.1 and "noise of 0.1" in inputs["epsilon_m"]["how"]
    (quiet,) = (r for r in inputs_of(replace(KNOWN, noise=0.0)) if r["name"] == "epsilon_m")
    assert "1 for a system without noise" in quiet["how"]
