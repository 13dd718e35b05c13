"""The state estimator: the real interval between measurements, and a fresh start after a gap."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot


@pytest.fixture
def asked(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Array | None, float]]:
    """Previous measurement and interval [s] of each estimate."""
    log: list[tuple[Array | None, float]] = []

    def estimate(self: Robot, measured: Array, previous: Array | None, dt: float) -> Array:
        log.append((previous, dt))
        return measured

    monkeypatch.setattr(type(robot), "estimate", estimate)
    return log


def test_the_interval_is_the_real_one_and_a_gap_starts_afresh(
    robot: Robot, asked: list[tuple[Array | None, float]]
) -> None:
    estimator = StateEstimator(robot)  # a period of 0.1 s
    values = [np.full(4, float(k)) for k in range(6)]
    for time, row in zip((0.0, 0.06, 0.25, 0.46, 0.50, 0.62), values, strict=True):
        assert estimator.update(Measurement(time, row)) is row
    known = [None if previous is None else previous[0] for previous, _ in asked]
    # 0.21 s are more than two periods, 0.04 s less than half of one.
    assert known == [None, 0.0, 1.0, None, None, 4.0]
    assert [dt for _, dt in asked] == pytest.approx([0.1, 0.06, 0.19, 0.1, 0.1, 0.12])


def test_a_new_run_forgets_the_one_before(
    robot: Robot, asked: list[tuple[Array | None, float]]
) -> None:
    estimator = StateEstimator(robot)
    estimator.update(Measurement(0.0, np.zeros(4)))
    estimator.reset()
    estimator.update(Measurement(0.1, np.zeros(4)))
    assert [previous for previous, _ in asked] == [None, None]
