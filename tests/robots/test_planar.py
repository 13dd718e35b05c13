"""The maps of a runner in a plane."""

from __future__ import annotations

import torch

from ros_mbmrl.robots import make_robot


def test_a_level_plane_has_no_height_and_an_upright_one_has() -> None:
    state = torch.arange(10.0)
    swimmer = make_robot("swimmer")
    sine, cosine, *others = swimmer.features(state).tolist()
    assert others == list(range(3, 10)) and abs(sine**2 + cosine**2 - 1) < 1e-6
    assert swimmer.observed[0] == "yaw"
    assert make_robot("hopper").features(torch.arange(12.0))[0] == 1.0
    assert make_robot("hopper").observed[0] == "z"


def test_advance_undoes_difference() -> None:
    robot = make_robot("walker2d")
    before, after = torch.randn(2, 4, 18, generator=torch.Generator().manual_seed(0))
    change = robot.difference(before, after)
    torch.testing.assert_close(robot.advance(before, change), after)
