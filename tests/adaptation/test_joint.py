"""Causes that all vary at once: by hand, and on windows whose robots differ and break."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from ros_mbmrl.adaptation.bank import Bank
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.causes import CauseFilter
from ros_mbmrl.adaptation.error_distribution import ErrorDistribution
from ros_mbmrl.adaptation.joint import Fit, Linear, fitted, noise_of
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.groups import CAUSES
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots.conditioned import ConditionedRobot
from ros_mbmrl.robots.quantities import Cause
from ros_mbmrl.robots.spec import Robot, RobotSpec

# Inputs: speed, leg, push, two commands. Outputs: the commands as they act, with the push on the
# first, and a leg without which the robot turns by its first command.
NORMALIZER = Normalizer(torch.zeros(5), torch.ones(5), torch.zeros(2), torch.ones(2))
NET = MLP((5, 2))
WEIGHT = torch.tensor([[0.0, 0.0], [0.0, -0.8], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
NOISE = 0.05


@pytest.fixture
def spec(robot: Robot) -> RobotSpec:
    robot = copy(robot)
    leg = Cause("leg", "1", 0.0, 1.0, 1.0, (0.0,), discrete=True)
    push = Cause("push", "N", -2.0, 2.0, 0.0, (), spread=0.3)
    robot.spec = replace(robot.spec, causes=(leg, push), effectiveness_spread=0.15)
    return ConditionedRobot(robot).spec


@pytest.fixture
def parameters(spec: RobotSpec) -> Parameters:
    errors = ErrorDistribution(torch.eye(2) / NOISE, torch.tensor([10.0]))
    own = {**Bank.of(spec).parameters(NORMALIZER), **CAUSES.named(errors.tensors)}
    return {"w0": WEIGHT, "b0": torch.tensor([0.0, 0.8]), **own}


def window(leg: float, push: float, gains: tuple[float, float], noise: float = NOISE) -> Support:
    rng = np.random.default_rng(0)
    actions = torch.from_numpy(rng.uniform(-1, 1, (1, 32, 2))).float()
    error = torch.from_numpy(noise * rng.standard_normal((1, 32, 2))).float()
    acted = actions * torch.tensor(gains)
    y = acted + torch.tensor([push, 0.8 * (1 - leg)]) + error
    x = torch.cat([torch.zeros(1, 32, 1), torch.ones(1, 32, 1), torch.zeros(1, 32, 1), actions], -1)
    return Support(x, y, torch.ones(1, 32, 1), torch.ones(2))


def test_the_bank_frees_what_differs_from_robot_to_robot(spec: RobotSpec) -> None:
    bank = Bank.of(spec)
    assert bank.names[:2] == ("all well", "drive weak") and bank.names[-1] == "leg 0"
    assert not any(name.startswith("push") for name in bank.names)  # never told
    usual = [0.0, 0.3 / (0.25 * 4.0), 0.15 / (0.25 * 1.2), 0.15 / (0.25 * 1.2)]
    torch.testing.assert_close(bank.free[0], torch.tensor(usual))
    torch.testing.assert_close(bank.free[1], torch.tensor([*usual[:2], 1.0, usual[3]]))
    assert bank.axes.shape == (6, 3, 4) and not bank.axes[-1, :, 0].any()  # a leg has no half


@pytest.mark.parametrize(
    ("leg", "push", "gains", "expected"),
    [
        (1.0, 0.4, (1.2, 0.85), "all well"),
        (0.0, -0.3, (0.85, 1.15), "leg 0"),
        (1.0, 0.3, (0.45, 1.1), "drive weak"),
        (0.0, 0.0, (1.0, 1.0), "leg 0"),
    ],
)
def test_what_broke_is_told_from_how_robots_differ(
    spec: RobotSpec, parameters: Parameters, leg: float, push: float, gains: Tensor, expected: str
) -> None:
    support = window(leg, push, gains)  # type: ignore[arg-type]
    update = CauseFilter().update(NET, parameters, support)
    (found,) = CauseFilter().beliefs(spec, update)
    assert max(found, key=lambda name: found[name]) == expected
    outputs = NET.forward_updated(parameters, update, support.x).outputs
    wanted = window(leg, push, gains, noise=0.0).y  # type: ignore[arg-type]
    torch.testing.assert_close(outputs, wanted, atol=0.08, rtol=0.0)


def test_without_evidence_all_is_well(parameters: Parameters) -> None:
    support = window(0.0, 1.0, (1.0, 1.0))
    nothing = replace(support, weight=torch.zeros(1, 32, 1))
    update = CauseFilter().update(NET, parameters, nothing)
    assert update.inputs is not None
    torch.testing.assert_close(update.inputs.scale, torch.ones(1, 5))
    assert float(update.inputs.shift.abs().max()) < 1e-6


def test_a_leg_lost_within_the_window_is_found(spec: RobotSpec, parameters: Parameters) -> None:
    before, after = window(1.0, 0.2, (1.1, 0.9)), window(0.0, 0.2, (1.1, 0.9))
    y = torch.cat([before.y[:, :20], after.y[:, 20:]], dim=1)
    update = CauseFilter().update(NET, parameters, replace(before, y=y))
    (found,) = CauseFilter().beliefs(spec, update)
    assert found["leg 0"] > 0.9


def linear() -> Linear:
    """One task, one hypothesis, one cause: errors of 2 in 4 rows, that the cause takes away."""
    ones = torch.ones(1, 1, 4, 1)
    one = torch.ones(1, 1, 1)
    return Linear(2 * ones, -ones[:, :, None], one[0], one, torch.tensor([-9.0]), torch.ones(1) * 9)


def test_the_offset_is_that_of_ridge_regression() -> None:
    gaussian = ErrorDistribution(torch.eye(1), torch.tensor([1e6]))
    fit = fitted(linear(), gaussian, torch.ones(1, 1, 4), torch.ones(1, 1), torch.zeros(1, 1, 1))
    assert float(fit.z) == pytest.approx(4 * 2 / (4 + 1), rel=1e-4)
    assert float(fit.prior) == pytest.approx(-0.5 * (1.6**2 + np.log(5)), rel=1e-4)
    assert fit.evidence[0, :, 0].tolist() == pytest.approx([-0.5 * 0.4**2] * 4, rel=1e-3)


def test_causes_stay_in_their_range() -> None:
    inside = linear().inside(torch.full((1, 1, 1), 20.0))
    assert float(inside) == 8.0 and float(linear().causes(inside)) == 9.0


def test_the_noise_of_a_quiet_window_is_its_own() -> None:
    gaussian = ErrorDistribution(torch.eye(1), torch.tensor([1e6]))
    errors = torch.full((1, 1, 92, 1), 0.1)
    fit = Fit(torch.zeros(1, 1, 1), torch.zeros(1, 92, 1), torch.zeros(1, 1), errors)
    found = noise_of(fit, gaussian, torch.ones(1, 1, 92), torch.ones(1, 1))
    assert float(found) == pytest.approx(np.sqrt((8 + 92 * 0.01) / 100), rel=1e-4)
