"""The maps of a runner in space do not depend on how many joints it has, nor on the heading."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import torch

from ros_mbmrl.robots import make_robot, rotations

close = partial(torch.testing.assert_close, atol=1e-4, rtol=1e-4)


def states_of(name: str, seed: int) -> torch.Tensor:
    """Draw states whose quaternions have length 1."""
    size = len(make_robot(name).spec.state)
    state = torch.randn(20, size, generator=torch.Generator().manual_seed(seed))
    state[:, 3:7] /= state[:, 3:7].norm(dim=1, keepdim=True)
    return state


@pytest.mark.parametrize("name", ["ant", "humanoid"])
def test_nothing_depends_on_the_heading(name: str) -> None:
    robot, rows = make_robot(name), [states_of(name, seed) for seed in (0, 1)]
    velocity = slice(7 + len(robot.spec.action), 10 + len(robot.spec.action))
    turn = torch.tensor([[math.cos(0.6), 0.0, 0.0, math.sin(0.6)]])
    turned = [row.clone() for row in rows]
    for row in turned:
        for part in (slice(0, 3), velocity):
            row[:, part] = rotations.rotate(turn, row[:, part])
        row[:, 3:7] = rotations.multiply(turn, row[:, 3:7])
    close(robot.features(turned[0]), robot.features(rows[0]))
    close(robot.difference(*turned), robot.difference(*rows))


@pytest.mark.parametrize("name", ["ant", "humanoid"])
def test_advancing_by_the_difference_arrives(name: str) -> None:
    robot, before, after = make_robot(name), states_of(name, 0), states_of(name, 1)
    found = robot.advance(before, robot.difference(before, after))
    found[:, 3:7] *= (found[:, 3:7] * after[:, 3:7]).sum(dim=1, keepdim=True).sign()
    close(found, after)


def test_a_pose_is_place_and_heading() -> None:
    state = np.zeros(47)
    state[:2], state[3], state[6] = (1.0, 2.0), math.cos(0.25), math.sin(0.25)
    assert make_robot("humanoid").pose(state) == pytest.approx((1.0, 2.0, 0.5))
