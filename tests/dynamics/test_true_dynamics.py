"""The physics in a model's place."""

from __future__ import annotations

import torch
from torch import Generator

from ros_mbmrl.dynamics.true_dynamics import TrueDynamics
from ros_mbmrl.robots.pendulum import Pendulum, physics


def test_it_moves_rows_as_the_system_does() -> None:
    own, generator = TrueDynamics(Pendulum(), physics), Generator()
    states, torques = torch.randn(4, 2), torch.randn(4, 1, requires_grad=True)
    members = own.drawn(4, generator)
    moved = own.step(states, torques, members, generator)
    assert torch.equal(moved, physics(states, torques)) and own.count == 1
    assert torch.equal(own.by_members(states, torques, members), moved)
    (gradient,) = torch.autograd.grad(moved.sum(), torques)
    assert (gradient != 0).any()
