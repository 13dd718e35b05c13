"""How right a diagnosis is, how soon, and how often it cries wolf: by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ros_mbmrl.evaluation.study.diagnosis import diagnose, diagnoses, table

PERIOD = 0.125  # a diagnosis holds after two steps
WELL, DEAD = [1.0, 1.0], [0.0, 1.0]


def run(*parts: tuple[list[float], int]) -> np.ndarray:
    """Effectiveness (T, 2) made of parts of so many steps."""
    return np.concatenate([np.tile(share, (steps, 1)) for share, steps in parts])


def test_delay_and_shares_after_a_change() -> None:
    truth = run((WELL, 8), (DEAD, 16))
    # Found in the third step after the change, lost in the fourth, found for good in the fifth.
    inferred = run((WELL, 10), (DEAD, 1), (WELL, 1), (DEAD, 12))
    found = diagnose(inferred, truth, 1.0, PERIOD)
    assert found["delay_seconds"] == 4 * PERIOD
    assert found["right_by_seconds"] == {"0-1 s": 5 / 8, "1-3 s": 1.0, "3 s on": None}
    assert (found["alarms"], found["lasting_alarms"]) == (1, 0)  # the change itself is none
    assert found["right_seconds"] == (8 + 13) * PERIOD


def test_a_share_nearer_to_the_truth_than_to_others_is_right() -> None:
    truth = run(([0.3, 1.0], 8))
    assert diagnose(run(([0.5, 1.0], 8)), truth, 0.0, PERIOD)["delay_seconds"] == 0.0
    assert diagnose(run(([0.0, 1.0], 8)), truth, 0.0, PERIOD)["delay_seconds"] is None
    wrong_actuator = diagnose(run(([0.3, 0.5], 8)), truth, 0.0, PERIOD)
    assert (wrong_actuator["delay_seconds"], wrong_actuator["right_seconds"]) == (None, 0.0)


def test_what_is_right_only_in_the_last_step_was_not_found() -> None:
    inferred = run((WELL, 7), (DEAD, 1))
    assert diagnose(inferred, run((DEAD, 8)), 0.0, PERIOD)["delay_seconds"] is None


def test_where_nothing_changes_every_other_diagnosis_is_an_alarm() -> None:
    inferred = run((WELL, 4), (DEAD, 2), (WELL, 4), (DEAD, 1), (WELL, 5))
    found = diagnose(inferred, run((WELL, 16)), 0.0, PERIOD)
    assert (found["alarms"], found["lasting_alarms"], found["delay_seconds"]) == (2, 1, 0.0)


@pytest.mark.parametrize("steps", [0, 1])
def test_a_robot_that_did_not_last_has_no_diagnosis(steps: int) -> None:
    found = diagnose(run((WELL, steps)), run((WELL, steps)), 1.0, PERIOD)
    assert found["delay_seconds"] is None and found["alarms"] == 0


def _row(delay: float | None, alarms: int, right: float) -> dict[str, Any]:
    windows = {"0-1 s": right, "1-3 s": 1.0, "3 s on": None}
    own = {"right_by_seconds": windows, "delay_seconds": delay}
    names = {"method": "causes", "condition": "switching"}
    return {
        **names,
        "diagnosis": {
            **own,
            "alarms": alarms,
            "lasting_alarms": alarms // 2,
            "right_seconds": 900.0,
        },
    }


def test_the_summary_is_over_the_episodes() -> None:
    rows = [
        _row(0.2, 1, 0.5),
        _row(0.4, 0, 0.7),
        _row(None, 2, 0.0),
        {**_row(0.1, 0, 0), "method": "mb"},
    ]
    (found,) = diagnoses(rows, ("causes",))
    assert found["right"] == pytest.approx({"0-1 s": 0.4, "1-3 s": 1.0})
    assert (found["delay_median_s"], found["never"], found["n"]) == (0.4, 1, 3)
    assert found["alarms_an_hour"] == pytest.approx(3 / 0.75)
    assert found["lasting_alarms_an_hour"] == pytest.approx(1 / 0.75)
    assert list(table([found]).rows) == [
        ("switching", "causes", "40%", "100%", "", "0.40", "1 of 3", "4", "1")
    ]


def test_most_episodes_without_a_diagnosis_are_never() -> None:
    (found,) = diagnoses([_row(None, 0, 0.0), _row(None, 0, 0.0), _row(0.1, 0, 1.0)], ("causes",))
    assert found["delay_median_s"] is None
    assert table([found]).rows[0][5] == "never"


def test_without_diagnoses_there_is_nothing() -> None:
    assert diagnoses([{"method": "mb", "condition": "unseen"}], ("mb",)) == []
