"""Windows after a change: which steps are in them, means and standard errors by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ros_mbmrl.evaluation.study import reaction
from ros_mbmrl.evaluation.study.reaction import by_window, reactions, with_error, without_windows

PERIOD = 0.25


def _row(seed: int, first: float, condition: str = "switching") -> dict[str, Any]:
    windows = {"0-1 s": first, "1-3 s": 2.0, "3 s on": None}
    own = {"method": "grbal", "train_seed": 0, "condition": condition, "seed": seed}
    return {**own, "return_by_seconds": windows}


def test_steps_belong_to_the_window_in_which_they_begin() -> None:
    # A change at .5 s: steps 0 and 1 are before it, 2 to 5, 6 to 13 and the last two after it.
    values = np.array([9.0] * 2 + [1.0] * 4 + [2.0] * 8 + [3.0, 5.0])
    assert by_window(values, 0.5, PERIOD) == {"0-1 s": 1.0, "1-3 s": 2.0, "3 s on": 4.0}
    assert by_window(values[:4], 0.5, PERIOD) == {"0-1 s": 1.0, "1-3 s": None, "3 s on": None}
    assert by_window(values, 99.0, PERIOD) == dict.fromkeys(("0-1 s", "1-3 s", "3 s on"))


@pytest.mark.parametrize(("seconds", "step"), [(0.0, 0), (0.5, 2), (0.51, 3), (0.75 + 1e-12, 3)])
def test_a_change_within_a_period_acts_from_the_next_one_on(seconds: float, step: int) -> None:
    assert reaction.first_step(seconds, PERIOD) == step


def test_means_and_standard_errors_over_the_episodes() -> None:
    rows = [_row(0, 1.0), _row(1, 3.0), _row(2, 5.0), _row(3, 7.0)]
    (found,) = reactions(rows, ("mb", "grbal"))
    assert (found["method"], found["condition"]) == ("grbal", "switching")
    assert found["return"] == {"0-1 s": 4.0, "1-3 s": 2.0}
    deviation = np.std([1.0, 3.0, 5.0, 7.0], ddof=1)
    assert found["standard_error"]["0-1 s"] == pytest.approx(deviation / 2)
    assert found["standard_error"]["1-3 s"] == 0.0


def test_the_table_has_a_column_for_each_window_that_was_reached() -> None:
    table = reaction.table(reactions([_row(0, 1.0), _row(1, 3.0)], ("grbal",)))
    assert table.columns == ("condition", "method", "0-1 s", "1-3 s")
    assert list(table.rows) == [("switching", "GrBAL", "2.00 (1.00)", "2.00 (0.00)")]
    assert with_error(2.0, None) == "2.00"


def test_rows_from_before_are_named_and_left_out() -> None:
    old = {k: v for k, v in _row(0, 1.0).items() if k != "return_by_seconds"}
    assert reactions([{**old, "method": "mb"}, _row(0, 1.0)], ("mb",)) == []
    assert without_windows([{**old, "method": "mb"}, _row(0, 1.0)]) == (
        "Judged before windows were kept, so without them: MB."
    )
    assert without_windows([_row(0, 1.0)]) == ""
