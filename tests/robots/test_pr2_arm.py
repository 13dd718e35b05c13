"""The arm's maps undo each other, and its specification is the thesis's and the wire's."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.pr2_kinematics import tool_points
from ros_mbmrl.robots.pr2_limits import JOINTS
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import Health, Level, SafetyConfig

ROBOT = make_robot("pr2_arm")
SPEC = ROBOT.spec
REST = np.array([0.6, 0.3, 1.0, -1.2, 0.3, -0.8, 0.0])


def states(seed: int, count: int = 6) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    q = rng.uniform(-1.5, 1.5, (count, 7))  # less than a half turn apart
    return torch.from_numpy(np.hstack([q, rng.normal(0, 1, (count, 7)), tool_points(q)]))


def state_at(q: np.ndarray, speed: float = 0.0) -> np.ndarray:
    return np.concatenate([q, np.full(7, speed), tool_points(q)])


def test_sizes_names_and_period() -> None:
    assert (len(SPEC.state), len(SPEC.action), SPEC.period) == (23, 7, 0.1)
    assert SPEC.measurement == SPEC.state
    assert SPEC.command_field == "effort"
    assert [limit.name for limit in SPEC.action] == [joint.name for joint in JOINTS]
    assert SPEC.channels[0] == "joint_states.position.0"
    assert SPEC.channels[13] == "joint_states.velocity.6"
    assert SPEC.channels[14:17] == tuple(f"tool_points.poses.0.position.{a}" for a in "xyz")
    assert SPEC.channels[-1] == "tool_points.poses.2.position.z"


def test_nothing_is_commanded_that_the_robots_law_would_cut_off() -> None:
    for limit, joint in zip(SPEC.action, JOINTS, strict=True):
        assert 0 < limit.high <= joint.effort_at_rest <= joint.effort
        assert limit.low == -limit.high


@given(st.integers(0, 1000))
def test_advance_undoes_difference(seed: int) -> None:
    before, after = states(seed), states(seed + 1)
    assert torch.allclose(ROBOT.advance(before, ROBOT.difference(before, after)), after)


def test_an_endless_joint_goes_the_short_way_round() -> None:
    before, after = states(0), states(0)
    after[:, [4, 6]] += 2 * math.pi + 0.1
    after[:, 0] += 0.1
    change = ROBOT.difference(before, after)
    assert change[:, [0, 4, 6]].flatten().tolist() == pytest.approx([0.1] * 18)
    assert torch.allclose(
        ROBOT.advance(before, change)[:, 14:], torch.from_numpy(tool_points(after[:, :7].numpy()))
    )


def test_features_do_not_see_full_turns() -> None:
    before, turned = states(1), states(1)
    turned[:, 4] += 2 * math.pi
    turned[:, 6] -= 6 * math.pi
    assert torch.allclose(ROBOT.features(before), ROBOT.features(turned))
    assert ROBOT.features(before).shape[-1] == len(SPEC.features)


def test_features_are_named_in_order() -> None:
    row = dict(zip(SPEC.features, ROBOT.features(states(2))[0].tolist(), strict=True))
    state = dict(zip([q.name for q in SPEC.state], states(2)[0].tolist(), strict=True))
    assert row["wrist_flex"] == state["wrist_flex"]
    assert row["sin_forearm_roll"] == pytest.approx(math.sin(state["forearm_roll"]))
    assert row["wrist_roll_velocity"] == state["wrist_roll_velocity"]
    assert row["point_2_z"] == state["point_2_z"]


def test_it_has_no_pose_and_no_battery_and_cannot_tip_over() -> None:
    state = state_at(REST)
    assert ROBOT.pose(state) is None
    assert ROBOT.battery(state) is None
    assert ROBOT.tilt(state) == 0.0
    assert not ROBOT.follows_paths
    assert tuple(ROBOT.tasks()) == ("reach", "insert", "stack")
    with pytest.raises(UserError, match="unknown task 'juggle'"):
        ROBOT.make_task("juggle", state)


def test_a_torque_from_rest_to_full_passes_the_safety_monitor() -> None:
    monitor = SafetyMonitor(ROBOT, SafetyConfig(start_updates=1))
    checked = monitor.update(0.0, SPEC.action_high, state_at(REST), Health())
    assert checked.level is Level.RUN
    assert (checked.action == SPEC.action_high).all()
    checked = monitor.update(0.1, SPEC.action_low, state_at(REST), Health())
    assert checked.level is Level.LIMITED  # a reversal takes two periods
    assert checked.action == pytest.approx(np.zeros(7))


@pytest.mark.parametrize(
    ("joint", "angle", "speed", "words"),
    [
        (1, 1.3963 + 0.11, 0.0, "shoulder_lift is 1.51"),
        (3, 0.11, 0.0, "elbow_flex is 0.11"),
        (0, 0.6, 3.2, "shoulder_pan_velocity is 3.2"),
    ],
)
def test_a_joint_out_of_its_limits_stops_the_arm(
    joint: int, angle: float, speed: float, words: str
) -> None:
    state = state_at(REST)
    state[joint], state[7 + joint] = angle, speed
    checked = SafetyMonitor(ROBOT).update(0.0, SPEC.action_high, state, Health())
    assert checked.level is Level.LATCHED
    assert (checked.action == 0).all()
    assert words in checked.reasons[0]


def test_endless_joints_may_turn_as_far_as_they_like() -> None:
    state = state_at(REST)
    state[[4, 6]] = 100.0
    monitor = SafetyMonitor(ROBOT, SafetyConfig(start_updates=1))
    assert monitor.update(0.0, np.zeros(7), state, Health()).level is Level.RUN
