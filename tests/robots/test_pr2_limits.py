"""The robot's own law, with numbers computed by hand from its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ros_mbmrl.robots.pr2_limits import JOINTS, limit_efforts

MIDDLE = np.array([0.8, 0.4, 1.5, -1.1, 0.0, -1.0, 0.0])
AT_REST = np.zeros(7)


def numbers(limit: float) -> st.SearchStrategy[np.ndarray]:
    return arrays(float, 7, elements=st.floats(-limit, limit))


def test_joints_are_those_of_the_description() -> None:
    assert [joint.name for joint in JOINTS][0::3] == [
        "l_shoulder_pan_joint",
        "l_elbow_flex_joint",
        "l_wrist_roll_joint",
    ]
    assert JOINTS[0].lower == pytest.approx(-0.7146, abs=1e-4)
    assert JOINTS[0].soft_upper == pytest.approx(2.1354, abs=1e-4)
    assert [joint.continuous for joint in JOINTS] == [False] * 4 + [True, False, True]
    for joint in JOINTS:
        assert joint.lower <= joint.soft_lower < joint.soft_upper <= joint.upper


def test_what_is_small_passes_in_the_middle() -> None:
    effort = np.array([20.0, -20.0, 6.0, -9.0, 3.0, -10.0, 7.0])
    assert (limit_efforts(MIDDLE, AT_REST, effort) == effort).all()


def test_at_rest_the_velocity_gain_limits_the_effort() -> None:
    expected = [20.88, 20.82, 6.54, 9.9, 3.6, 10.0, 7.2]  # min(effort, k_velocity * velocity)
    assert limit_efforts(MIDDLE, AT_REST, np.full(7, 99.0)) == pytest.approx(expected)
    assert limit_efforts(MIDDLE, AT_REST, np.full(7, -99.0)) == pytest.approx(
        [-e for e in expected]
    )
    assert [joint.effort_at_rest for joint in JOINTS] == pytest.approx(expected)


def test_near_a_soft_limit_the_speed_towards_it_is_bounded() -> None:
    q = MIDDLE.copy()
    q[1] = 1.2963 - 0.01  # allows 100 * 0.01 = 1 rad/s upwards, so 10 N m at rest
    assert limit_efforts(q, AT_REST, np.full(7, 20.0))[1] == pytest.approx(10.0)
    assert limit_efforts(q, AT_REST, np.full(7, -20.0))[1] == -20.0
    moving = AT_REST.copy()
    moving[1] = 1.5  # too fast: braked with 10 * 0.5 N m, whatever is commanded
    assert limit_efforts(q, moving, np.full(7, 20.0))[1] == pytest.approx(-5.0)


def test_beyond_a_soft_limit_the_effort_turns_back() -> None:
    q = MIDDLE.copy()
    q[3] = -2.2  # 0.0787 rad below: v_low = min(7.87, 3.3), and 3 * 3.3 N m upwards at least
    assert limit_efforts(q, AT_REST, np.zeros(7))[3] == pytest.approx(9.9)
    q[3] = 0.0  # 0.15 rad above the upper one
    assert limit_efforts(q, AT_REST, np.zeros(7))[3] == pytest.approx(-9.9)


@given(numbers(3.0), numbers(10.0), numbers(100.0))
def test_never_more_than_the_motors_have_and_endless_joints_have_no_place(
    q: np.ndarray, speed: np.ndarray, effort: np.ndarray
) -> None:
    limited = limit_efforts(q, speed, effort)
    largest = np.array([joint.effort for joint in JOINTS])
    assert (np.abs(limited) <= largest).all()
    turned = q.copy()
    turned[[4, 6]] += 8 * math.pi
    assert (limit_efforts(turned, speed, effort) == limited).all()


@given(numbers(3.0), numbers(10.0), numbers(100.0))
def test_limited_twice_is_limited_once(
    q: np.ndarray, speed: np.ndarray, effort: np.ndarray
) -> None:
    once = limit_efforts(q, speed, effort)
    assert (limit_efforts(q, speed, once) == once).all()


def test_a_batch_is_row_by_row() -> None:
    rng = np.random.default_rng(0)
    q, speed, effort = rng.normal(0, 2, (3, 5, 7))
    rows = [limit_efforts(*row) for row in zip(q, speed, effort, strict=True)]
    assert (limit_efforts(q, speed, effort) == np.array(rows)).all()
