"""The half-cheetah's maps: x is no input, and pitch counts whole turns."""

from __future__ import annotations

import numpy as np
import torch

from ros_mbmrl.robots.half_cheetah import SPEC, HalfCheetah

ROBOT = HalfCheetah()


def test_everything_but_x_is_an_input_of_the_model() -> None:
    state = torch.arange(18.0)
    assert ROBOT.features(state).tolist() == list(range(1, 18))
    assert SPEC.features == tuple(quantity.name for quantity in SPEC.state if quantity.name != "x")


def test_a_somersault_is_a_change_of_a_whole_turn() -> None:
    before = torch.zeros(18, dtype=torch.float64)
    after = before.clone()
    after[2] = 2 * np.pi
    change = ROBOT.difference(before, after)
    assert float(change[2]) == 2 * np.pi
    assert torch.equal(ROBOT.advance(before, change), after)


def test_it_has_no_pose_on_a_plane_and_follows_no_path() -> None:
    assert ROBOT.pose(np.zeros(18)) is None
    assert not ROBOT.follows_paths
    assert tuple(ROBOT.tasks()) == ("run",)
