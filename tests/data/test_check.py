"""What `mbmrl data check` finds in runs that are spoilt on purpose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.data import dataset
from ros_mbmrl.data.check import Check, check_dataset, check_run, check_together
from ros_mbmrl.data.rollout import Mark, Rollout
from ros_mbmrl.data.steps import Run
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.robots import make_robot

PERIOD = 0.1


def kinds(check: Check) -> list[str]:
    return [problem.kind for problem in check.problems if problem.kind != "missing topics"]


def told(check: Check, kind: str) -> str:
    return next(problem.detail for problem in check.problems if problem.kind == kind)


def spoilt(script: Any, count: int = 60) -> Run:
    script.steps(0, count)
    run: Run = script.run()
    return run


def test_a_clean_run_is_ok_but_for_what_it_lacks(script: Any) -> None:
    check = check_run(spoilt(script))
    assert kinds(check) == []
    assert told(check, "missing topics") == "nothing on command/proposed, sensor_time, /diagnostics"
    assert (check.robot, check.steps, check.transitions, check.marked) == ("hexapod", 60, 59, 0)
    assert check.rate == pytest.approx(10.0)
    assert check.seconds == pytest.approx(5.9)
    assert check.figures["offset_s_p50"] == pytest.approx(0.02)
    assert check.figures["lost_at_most_s"] == 0.0


def test_a_killed_recorder_is_told_with_what_it_cost(script: Any) -> None:
    script.steps(0, 5)
    check = check_run(script.run(complete=False))
    assert told(check, "incomplete") == "not closed by its recorder: at most its last 1 s is lost"
    assert check.figures["lost_at_most_s"] == 1.0
    assert check.verdict == "usable"


def test_gaps_are_counted_and_the_longest_is_placed(script: Any) -> None:
    script.steps(0, 20)
    script.steps(23, 20)
    script.steps(45, 20)
    check = check_run(script.run())
    assert told(check, "gaps") == "2 gaps between steps, the longest 0.40 s, 1.9 s in"
    assert check.rollouts == 3


def test_commands_that_did_not_come_are_counted(script: Any) -> None:
    script.steps(0, 20)
    for k in (5, 6):
        script.timing(10**9 + k * 10**8, missed=1, offset=float("nan"))
    check = check_run(script.run())
    assert (
        told(check, "commands") == "2 steps whose command did not act, 2 of them told by the driver"
    )
    assert check.marked == 2


def test_doubtful_rows_are_counted_by_reason(script: Any) -> None:
    script.steps(0, 20)
    for topic, _, message in script.messages:
        if topic == "battery" and message.header.stamp.nanosec == 500_000_000:
            message.voltage = 1.0
    check = check_run(script.run())
    assert check.figures["reasons"] == {"battery voltage out of range": 4}
    assert told(check, "doubtful") == "battery voltage out of range: 4 steps"


def test_a_clock_that_begins_anew_is_told(script: Any) -> None:
    script.steps(30, 30)
    script.steps(0, 30)
    assert kinds(check_run(script.run())) == ["clock restart"]


def test_the_wrong_rate_is_unusable(script: Any) -> None:
    run = spoilt(script)
    fast = replace(run, steps=tuple(replace(s, stamp=s.stamp // 2) for s in run.steps))
    check = check_run(fast)
    assert check.verdict == "unusable"
    assert check.unusable == "runs at 20 Hz: expected 10 Hz, the control rate of hexapod"
    (problem,) = check_together([check_run(run), check])
    assert problem.detail.startswith("not one data set: different rates: 10.0 Hz (")
    assert check_together([check, check]) == []


def test_jumps_and_drift_are_problems_and_stepping_is_a_note(script: Any) -> None:
    run = spoilt(script, 100)
    later = tuple(replace(s, logged=s.logged + 10**9 * (k > 50)) for k, s in enumerate(run.steps))
    check = check_run(replace(run, steps=later))
    assert kinds(check) == ["clock jump"]
    assert told(check, "clock jump") == "stamps and recorder +1.000 s apart at 6.1 s"
    drifting = tuple(replace(s, logged=s.logged + s.stamp // 100) for s in run.steps)
    assert kinds(check_run(replace(run, steps=drifting))) == ["clock drift"]
    fast = tuple(replace(s, logged=s.logged - s.stamp // 2) for s in run.steps)
    check = check_run(replace(run, steps=fast, path=Path("run.mcap")))
    assert kinds(check) == []
    assert check.notes == ("stamps run at 2.00 of time: stepped, not paced",)


def test_commands_that_cannot_have_acted_are_told_and_marked(script: Any) -> None:
    script.steps(0, 20)
    script.command(10**9 + 5 * 10**8, [1e6, 2.0])
    check = check_run(script.run())
    assert told(check, "doubtful") == "command far out of range: 1 steps"
    assert check.marked == 1


def walk(steps: int = 200) -> Rollout:
    """A clean rollout of the hexapod."""
    rng = np.random.default_rng(0)
    return Rollout(
        robot="hexapod",
        states=rng.normal(size=(steps + 1, 24)).astype(np.float32),
        actions=rng.uniform(5, 40, (steps, 2)).astype(np.float32),
        times=100.0 + PERIOD * np.arange(steps + 1),
        marks=np.zeros(steps, dtype=np.uint8),
    )


def hole(times: np.ndarray, states: np.ndarray, actions: np.ndarray) -> None:
    times[100:] += 5.0


def back(times: np.ndarray, states: np.ndarray, actions: np.ndarray) -> None:
    times[100:] -= times[100]


def still(times: np.ndarray, states: np.ndarray, actions: np.ndarray) -> None:
    times[100] = times[99]


def no_time(times: np.ndarray, states: np.ndarray, actions: np.ndarray) -> None:
    times[100] = np.nan


def no_number(times: np.ndarray, states: np.ndarray, actions: np.ndarray) -> None:
    states[99] = np.nan


def infinite(times: np.ndarray, states: np.ndarray, actions: np.ndarray) -> None:
    states[99, 3] = np.inf


def wild(times: np.ndarray, states: np.ndarray, actions: np.ndarray) -> None:
    actions[99] = [30.0, -2800.0]


def no_command(times: np.ndarray, states: np.ndarray, actions: np.ndarray) -> None:
    actions[99, 1] = np.nan


SPOILT = [
    (hole, Mark.GAP, "gaps", "1 gaps between rows, the longest 5.10 s, 9.9 s in"),
    (back, Mark.GAP, "doubtful", "time does not go on: 1 steps"),
    (still, Mark.GAP, "doubtful", "time does not go on: 1 steps"),
    (no_time, Mark.GAP, "doubtful", "time does not go on: 2 steps"),
    (no_number, Mark.WILD, "doubtful", "not a finite number: 2 steps"),
    (infinite, Mark.WILD, "doubtful", "not a finite number: 2 steps"),
    (wild, Mark.COMMAND, "doubtful", "command far out of range: 1 steps"),
    (no_command, Mark.COMMAND, "doubtful", "command far out of range: 1 steps"),
]


@pytest.mark.parametrize(("spoil", "mark", "kind", "words"), SPOILT)
def test_a_data_sets_holes_are_told_and_not_trained_on(
    tmp_path: Path, spoil: Any, mark: Mark, kind: str, words: str
) -> None:
    rollout = walk()
    spoil(rollout.times, rollout.states, rollout.actions)
    dataset.save(tmp_path, [rollout])
    check = check_dataset(tmp_path)
    assert check.verdict == "usable"
    assert told(check, kind) == words
    assert check.rate == pytest.approx(10.0)
    assert check.seconds == pytest.approx(20.0, abs=0.21)
    (loaded,) = dataset.load([tmp_path])
    assert loaded.marks[99] & mark
    assert check.marked == (loaded.marks != 0).sum() <= 4
    keep = Transitions.of(make_robot("hexapod"), [loaded]).keep[:, 0].numpy()
    np.testing.assert_array_equal(keep == 0, loaded.marks != 0)


def test_a_clean_data_set_is_ok_at_its_measured_rate(tmp_path: Path) -> None:
    rollout = walk()
    rollout.times[:] = 3.0 + 1.05 * (rollout.times - 100.0)
    dataset.save(tmp_path, [rollout])
    check = check_dataset(tmp_path)
    assert (check.verdict, check.marked, check.notes) == ("ok", 0, ())
    assert check.rate == pytest.approx(10 / 1.05)


def test_a_data_set_at_another_rate_is_unusable_and_refused(tmp_path: Path) -> None:
    dataset.save(tmp_path, [replace(walk(), times=10 * walk().times)])
    check = check_dataset(tmp_path)
    words = "runs at 1 Hz: expected 10 Hz, the control rate of hexapod"
    assert (check.verdict, check.unusable) == ("unusable", words)
    with pytest.raises(UserError, match=words):
        dataset.load([tmp_path])


def test_commands_that_are_a_little_out_of_range_are_kept_and_told(tmp_path: Path) -> None:
    rollout = walk()
    rollout.actions[5:9] = 89.0  # as high as the real logs'
    dataset.save(tmp_path, [rollout])
    check = check_dataset(tmp_path)
    assert (check.verdict, check.marked) == ("ok", 0)
    assert check.notes == ("4 commands are out of hexapod's range, but not far: kept",)


def test_marks_that_a_data_set_was_saved_with_stay(tmp_path: Path) -> None:
    rollout = walk()
    rollout.marks[[3, 150]] = Mark.REPEAT
    rollout.times[100:] += 5.0
    dataset.save(tmp_path, [rollout])
    (loaded,) = dataset.load([tmp_path])
    assert np.flatnonzero(loaded.marks & Mark.REPEAT).tolist() == [3, 150]
    assert np.flatnonzero(loaded.marks & Mark.GAP).tolist() == [99, 100]
    assert told(check_dataset(tmp_path), "marked") == "gap: 2 steps"
