"""Mechanisms: features and changes of angles, and the order of the integrator."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.mechanism import Mechanism, runge_kutta, wrapped
from ros_mbmrl.robots.quantities import Quantity

ARM = Mechanism(
    "arm",
    0.1,
    (Quantity("turn", "rad"), Quantity("reach", "m")),
    ("joint_states.position.0", "joint_states.position.1"),
    action=[("torque", "N m", -1.0, 3.0)],
    angles=("turn",),
)


def test_a_model_sees_cosine_and_sine_of_angles_alone() -> None:
    assert ARM.spec.features == ("cos_turn", "sin_turn", "reach")
    seen = ARM.features(torch.tensor([[math.pi / 6, 4.0]]))
    torch.testing.assert_close(seen, torch.tensor([[math.sqrt(3) / 2, 0.5, 4.0]]))


def test_only_angles_change_the_short_way() -> None:
    change = ARM.difference(torch.tensor([[3.0, 3.0]]), torch.tensor([[-3.0, -3.0]]))
    assert change[0].tolist() == pytest.approx([2 * math.pi - 6, -6.0], abs=1e-6)


def test_a_command_may_cross_its_range_in_a_period() -> None:
    np.testing.assert_allclose(ARM.spec.action_step, [4.0])


def test_without_a_task_all_are_unknown() -> None:
    assert not ARM.tasks()
    with pytest.raises(UserError, match="unknown task 'reach'"):
        ARM.make_task("reach", np.zeros(2))


def test_wrapping_keeps_the_gradient() -> None:
    angle = torch.tensor(7.0, requires_grad=True)
    (gradient,) = torch.autograd.grad(wrapped(angle), angle)
    assert gradient.item() == 1.0 and wrapped(angle).item() == pytest.approx(7 - 2 * math.pi)


def test_runge_kutta_is_of_the_fourth_order() -> None:
    start = torch.tensor([[1.0, 0.0]], dtype=torch.float64)

    def error(steps: int) -> float:  # of a harmonic oscillator after 1 s
        turned = runge_kutta(lambda s: torch.stack([s[:, 1], -s[:, 0]], 1), start, 1.0, steps)
        return float((turned - torch.tensor([[math.cos(1.0), -math.sin(1.0)]])).norm())

    assert error(4) / error(8) == pytest.approx(16, rel=0.1)
