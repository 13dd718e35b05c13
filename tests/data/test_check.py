"""What `mbmrl data check` finds in runs that are spoilt on purpose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_mbmrl.data.check import Check, check_run, check_together, skew
from ros_mbmrl.data.steps import Run, Step

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
        told(check, "commands") == "2 steps without a command in time, 2 of them told by the driver"
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


def steps(behind: np.ndarray) -> list[Step]:
    """Steps on time, recorded this much later [s]."""
    stamps = [10**9 + k * 10**8 for k in range(len(behind))]
    logged = [stamp + round(1e9 * late) for stamp, late in zip(stamps, behind, strict=True)]
    return [Step(0, s, r, s, np.zeros(1)) for s, r in zip(stamps, logged, strict=True)]


@given(
    ppm=st.floats(-2000, 2000),
    size=st.sampled_from([0.0, 0.2, -0.3, 5.0]),
    at=st.integers(20, 180),
    seed=st.integers(0, 5),
)
def test_drift_and_jumps_are_told_apart(ppm: float, size: float, at: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = 0.1 * np.arange(200)
    behind = 1e-6 * ppm * times + size * (np.arange(200) >= at) + 0.002 * rng.random(200)
    behind[10] += 0.4  # a message that was late alone
    found = skew(steps(behind), PERIOD)
    assert found.rate == pytest.approx(1e-6 * ppm, abs=3e-4)
    assert not found.stepped
    assert len(found.jumps) == (size != 0)
    for stamp, jump in found.jumps:
        assert stamp == pytest.approx(1 + 0.1 * at)
        assert jump == pytest.approx(size, abs=0.01)


def test_lockstep_is_no_drift() -> None:
    found = skew(steps(-0.6 * 0.1 * np.arange(200)), PERIOD)
    assert found.stepped and not found.jumps
    assert found.rate == pytest.approx(-0.6)


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
