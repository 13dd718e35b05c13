"""Estimates of continuous causes: errors, sizes and correlations by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ros_mbmrl.evaluation.study.estimates import estimate, estimates, table
from ros_mbmrl.robots.quantities import Cause
from ros_mbmrl.robots.spec import Array

PERIOD = 0.5  # two steps in the first window, four in the second
SLOPE = Cause("slope", "rad", -0.4, 0.4, 0.0, (0.1,))
FORCE = tuple(Cause(f"force_{a}", "N", -6.0, 6.0, 0.0, (2.0,), vector="force") for a in "xy")


def column(*values: float) -> Array:
    return np.array(values)[:, None]


def test_windows_begin_where_the_cause_first_differs_from_its_default() -> None:
    truth = column(0.0, 0.0, 0.2, 0.2, 0.0, 0.0)
    inferred = column(0.3, 0.3, 0.0, 0.1, 0.1, 0.0)
    found = estimate((SLOPE,), inferred, truth, PERIOD)["slope"]
    assert found["unit"] == "rad"
    assert found["error"] == pytest.approx({"0-1 s": 0.15, "1-3 s": 0.05, "3 s on": None})
    assert found["size"] == pytest.approx({"0-1 s": 0.2, "1-3 s": 0.0, "3 s on": None})


def test_a_vector_is_one_cause_and_its_error_is_a_length() -> None:
    truth, inferred = np.tile([3.0, 4.0], (4, 1)), np.tile([3.0, 2.0], (4, 1))
    found = estimate(FORCE, inferred, truth, PERIOD)
    assert list(found) == ["force"]
    assert found["force"]["error"]["0-1 s"] == 2.0 and found["force"]["size"]["0-1 s"] == 5.0


@pytest.mark.parametrize("steps", [0, 3])
def test_a_cause_that_never_changes_has_no_size(steps: int) -> None:
    found = estimate((SLOPE,), np.zeros((steps, 1)), np.zeros((steps, 1)), PERIOD)["slope"]
    assert found["error"]["0-1 s"] == found["size"]["0-1 s"] == (0.0 if steps else None)


def row(condition: str, seed: int, inferred: Array, truth: Array) -> dict[str, Any]:
    figures = estimate((SLOPE,), inferred, truth, PERIOD)
    own = {"method": "causes", "condition": condition, "train_seed": 0, "seed": seed}
    return {**own, "estimates": figures}


def test_the_correlation_is_over_the_steps_of_all_episodes() -> None:
    draws = np.random.default_rng(0)
    truths = [np.full((2, 1), 0.1), np.full((2, 1), 0.2), np.full((2, 1), -0.1)]
    mine = [truth + 0.05 * draws.standard_normal((2, 1)) for truth in truths]
    pairs = zip("aab", mine, truths, strict=True)
    rows = [row(name, k, own, truth) for k, (name, own, truth) in enumerate(pairs)]
    found = {each["condition"]: each for each in estimates(rows, ("mb", "causes"))}
    assert list(found) == ["a", "b", "all"]
    expected = np.corrcoef(np.concatenate(mine)[:, 0], np.concatenate(truths)[:, 0])[0, 1]
    assert found["all"]["correlation"]["0-1 s"] == pytest.approx(expected)
    assert found["b"]["correlation"]["0-1 s"] is None  # the truth is the same in all steps
    assert found["a"]["n"] == 2 and found["a"]["size"] == pytest.approx({"0-1 s": 0.15})
    cells = table(list(found.values())).rows
    assert cells[1][:3] == ("b", "causes", "slope [rad]") and cells[1][-3:] == ("", "", "")
    assert cells[2][3].endswith("of 0.1") and cells[2][-3] == f"{expected:.2f}"


def test_without_estimates_there_is_nothing() -> None:
    assert estimates([{"method": "mb", "condition": "steep"}], ("mb",)) == []
