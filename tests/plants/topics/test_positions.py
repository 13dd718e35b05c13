"""Positions integrated from rates, by hand: period 0.1 s, shoulder to 1 rad/s, elbow to 2 rad/s."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.plants.topics.positions import ROOM, Positions
from ros_mbmrl.plants.topics.wiring import wiring_of
from ros_mbmrl.robots.described.description import Description
from ros_mbmrl.robots.described.robot import described_robot

# measured: shoulder, elbow, and their velocities


@pytest.fixture
def positions(arm: Description) -> Positions:
    return Positions(described_robot(arm).spec, wiring_of(arm))


def at(shoulder: float, elbow: float) -> np.ndarray:
    return np.array([shoulder, elbow, 0.0, 0.0])


def test_it_begins_at_the_measured_position_and_goes_on_from_there(positions: Positions) -> None:
    rates = np.array([1.0, -2.0])
    sent = positions.sent(rates, at(0.3, 0.1), now=5.0)
    assert sent == pytest.approx([0.4, -0.1])
    # The arm lags behind: what is sent goes on from where it was led to, not from there.
    assert positions.sent(rates, at(0.32, 0.05), now=5.1) == pytest.approx([0.5, -0.3])


def test_zero_holds_the_position_and_holds_it_again(positions: Positions) -> None:
    positions.sent(np.array([1.0, 0.0]), at(0.3, 0.1), now=5.0)
    for now in (5.1, 5.2, 9.0):
        # It sags under its weight: what is held does not follow it down.
        assert positions.sent(np.zeros(2), at(0.35, 0.05), now) == pytest.approx([0.4, 0.1])


def test_two_commands_in_a_period_do_not_count_twice(positions: Positions) -> None:
    positions.sent(np.array([1.0, 0.0]), at(0.0, 0.0), now=5.0)
    assert positions.sent(np.array([1.0, 0.0]), at(0, 0), now=5.04)[0] == pytest.approx(0.14)
    assert positions.sent(np.array([0.0, 0.0]), at(0, 0), now=5.04)[0] == pytest.approx(0.04)


def test_a_late_command_finds_the_position_held_since_the_end_of_the_period(
    positions: Positions,
) -> None:
    positions.sent(np.array([1.0, 0.0]), at(0.0, 0.0), now=5.0)
    assert positions.sent(np.array([1.0, 0.0]), at(0.1, 0.0), now=5.9)[0] == pytest.approx(0.2)


def test_it_does_not_run_away_from_a_joint_that_is_held(positions: Positions) -> None:
    for k in range(50):
        sent = positions.sent(np.array([1.0, 0.0]), at(0.0, 0.0), now=5.0 + 0.1 * k)
    assert sent[0] == pytest.approx(0.5 + 0.1)  # five periods at full speed, and the newest


def test_limits_of_the_state_hold_and_from_beyond_them_nothing_leaps(positions: Positions) -> None:
    low, high = -1.5, 1.5
    inside = high - ROOM * (high - low)
    assert positions.sent(np.array([0.0, 2.0]), at(0.0, 1.45), now=5.0)[1] == pytest.approx(inside)
    other = positions.sent(np.array([0.0, 2.0]), at(0.0, 2.6), now=5.1)[1]
    assert other == pytest.approx(2.6 - 1.0)  # as far from it as it may be, and no further
    assert positions.sent(np.array([0.0, -2.0]), at(0.0, 1.6), now=5.2)[1] == pytest.approx(1.4)


def test_without_a_measurement_it_goes_on_but_does_not_begin(positions: Positions) -> None:
    assert not positions.begun
    with pytest.raises(ValueError, match="expected a measured position"):
        positions.sent(np.zeros(2), None, now=5.0)
    positions.sent(np.array([1.0, 0.0]), at(0.0, 0.0), now=5.0)
    assert positions.begun
    assert positions.sent(np.zeros(2), None, now=5.1)[0] == pytest.approx(0.1)


def test_a_turn_of_an_endless_joint_is_no_distance(arm: Description) -> None:
    from dataclasses import replace

    wiring = replace(wiring_of(arm), wraps=frozenset({"shoulder"}))
    positions = Positions(described_robot(arm).spec, wiring)
    positions.sent(np.array([1.0, 0.0]), at(3.1, 0.0), now=5.0)
    # Measured angles begin anew at -pi; what is sent goes on.
    assert positions.sent(np.array([1.0, 0.0]), at(-3.1, 0.0), now=5.1)[0] == pytest.approx(3.3)


def test_commands_of_others_stay_as_they_are(base: Description) -> None:
    positions = Positions(described_robot(base).spec, wiring_of(base))
    assert not positions.needed
    assert positions.sent(np.array([0.2, 1.0]), None, now=0.0).tolist() == [0.2, 1.0]
