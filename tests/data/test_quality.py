"""What holds for every robot's runs, and how a robot adds what only it cannot do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ros_mbmrl.data import quality
from ros_mbmrl.data.quality import Finding, inspect, spread
from ros_mbmrl.data.rollout import Mark
from ros_mbmrl.robots.spec import Robot, RobotSpec


@pytest.fixture
def spec(robot: Robot) -> RobotSpec:
    """The toy's, which measures a quaternion."""
    way = "odom.pose.pose.orientation"
    return replace(robot.spec, channels=tuple(f"{way}.{axis}" for axis in "wxyz"))


def clean(rows: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Measurements (rows, 4), a quaternion, and times."""
    return np.tile([0.5, -0.5, 0.5, 0.5], (rows, 1)), 0.1 * np.arange(rows)


def found(findings: list[Finding]) -> dict[str, list[int]]:
    return {f.reason: np.flatnonzero(f.intervals).tolist() for f in findings if f.intervals.any()}


def test_a_clean_run_has_no_findings_even_if_nothing_moves(spec: RobotSpec) -> None:
    values, times = clean()
    assert found(inspect(spec, values, times, times - 0.01)) == {}


def test_late_steps_and_sources_and_repeats_are_found(spec: RobotSpec) -> None:
    values, times = clean()
    times[4:] += 0.06
    source = times - 0.01
    source[2] = source[1]
    assert found(inspect(spec, values, times, source)) == {
        "step time outside 0.5 to 1.5 periods": [3],
        "source time step outside 0.5 to 1.5 periods": [2],
        "source stamped twice": [1],
    }


def test_numbers_that_are_none_and_quaternions_that_are_none_are_found(spec: RobotSpec) -> None:
    values, times = clean()
    values[2] = 0.4
    values[6, 0] = np.nan
    assert found(inspect(spec, values, times, times)) == {
        "not a finite number": [5, 6],
        "quaternion not of unit length": [1, 2],
    }


def test_a_robot_adds_its_own(spec: RobotSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "CHECKS", {"toy": f"{__name__}:wild"})
    monkeypatch.setattr(quality, "imported", lambda value: _Module.wild)
    values, times = clean()
    findings = inspect(spec, values, times, times)
    assert found(findings) == {"wild": [0]}
    assert spread(findings, 7).tolist() == [Mark.WILD, Mark.WILD, 0, 0, 0, 0, 0]


class _Module:
    @staticmethod
    def wild(
        measurement: np.ndarray, times: np.ndarray, source: np.ndarray, period: float
    ) -> list[Finding]:
        return [Finding("wild", Mark.WILD, np.arange(len(times) - 1) == 0)]
