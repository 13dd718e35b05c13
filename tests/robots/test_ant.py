"""The ant's frames and rotation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest
import torch

from ros_mbmrl.robots import make_robot, rotations

close = partial(torch.testing.assert_close, atol=1e-4, rtol=1e-4)


def states_of(count: int, seed: int = 0) -> torch.Tensor:
    """Draw states whose quaternions have length 1."""
    state = torch.randn(count, 29, generator=torch.Generator().manual_seed(seed))
    state[:, 3:7] /= state[:, 3:7].norm(dim=1, keepdim=True)
    return state


def turned(state: torch.Tensor, yaw: float) -> torch.Tensor:
    """Return the same robots, with the whole world turned about the vertical."""
    turn = torch.tensor([[math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)]])
    found = state.clone()
    found[:, :3] = rotations.rotate(turn, state[:, :3])
    found[:, 3:7] = rotations.multiply(turn, state[:, 3:7])
    found[:, 15:18] = rotations.rotate(turn, state[:, 15:18])
    return found


def test_what_a_model_sees_and_predicts_does_not_depend_on_the_heading() -> None:
    robot, state, later = make_robot("ant"), states_of(40), states_of(40, seed=1)
    for yaw in (0.4, -2.0, 2 * math.pi):  # a whole turn gives the quaternion of the other sign
        again, after = turned(state, yaw), turned(later, yaw)
        assert not torch.allclose(again[:, 3:7], state[:, 3:7])
        close(robot.features(again), robot.features(state))
        expected = robot.difference(state, later)
        close(robot.difference(again, after), expected)


def test_an_ant_that_stands_has_the_vertical_above_it() -> None:
    state = torch.zeros(1, 29)
    state[0, 2:4] = torch.tensor([0.7, 1.0])
    state[0, 15:18] = torch.tensor([1.0, 2.0, 3.0])
    seen = dict(
        zip(make_robot("ant").spec.features, make_robot("ant").features(state)[0], strict=True)
    )
    names = ("z", "up_x", "up_y", "up_z", "forward_velocity", "left_velocity", "upward_velocity")
    assert [round(float(seen[name]), 5) for name in names] == [0.7, 0, 0, 1, 1, 2, 3]


def test_advancing_by_the_difference_arrives() -> None:
    robot, state, later = make_robot("ant"), states_of(40), states_of(40, seed=1)
    found = robot.advance(state, robot.difference(state, later))
    sign = (found[:, 3:7] * later[:, 3:7]).sum(dim=1, keepdim=True).sign()
    found[:, 3:7] *= sign  # both signs are the same rotation
    close(found, later)


def test_models_of_the_map_frame_run_as_they_did() -> None:
    names = [quantity.name for quantity in make_robot("ant").spec.state[2:]]
    older = make_robot("ant").as_modelled(names)
    state, later = states_of(5), states_of(5, seed=1)
    torch.testing.assert_close(older.features(state), state[:, 2:])
    torch.testing.assert_close(older.difference(state, later), later - state)
    assert older.spec.changes == older.spec.state
    assert make_robot("ant").observed == tuple(names)  # a policy sees what it saw


@pytest.mark.parametrize("features", [(), [q.name for q in make_robot("ant").spec.state[2:]]])
def test_the_ants_quaternion_stays_one(features: Sequence[str]) -> None:
    robot = make_robot("ant").as_modelled(features)
    state = torch.zeros(5, 29)
    state[:, 3] = 1.0
    rotation = robot.advance(state, torch.full((5, len(robot.spec.changes)), 0.3))[:, 3:7]
    torch.testing.assert_close(rotation.norm(dim=1), torch.ones(5))
    placed = np.zeros(29)
    placed[:7] = 1.0, 2.0, 0.5, np.cos(0.35), 0.0, 0.0, np.sin(0.35)
    assert robot.pose(placed) == pytest.approx((1.0, 2.0, 0.7))
    assert not robot.follows_paths


def test_motors_are_in_gymnasiums_order_and_states_in_mujocos() -> None:
    spec = make_robot("ant").spec
    assert [limit.name for limit in spec.action] == [
        *("hip_4", "ankle_4", "hip_1", "ankle_1"),
        *("hip_2", "ankle_2", "hip_3", "ankle_3"),
    ]
    # Leg 1's hip is the seventh number of the state, and the third joint that is commanded.
    assert spec.state[7].name == "hip_1"
    assert spec.channels[7] == "joint_states.position.2"
    assert spec.channels[21] == "joint_states.velocity.2"
