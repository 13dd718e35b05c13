"""Refinement within a hypothesis: values that are known are found; by hand, and on a network."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.bank import Bank
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.causes import CauseFilter
from ros_mbmrl.adaptation.error_distribution import ErrorDistribution
from ros_mbmrl.adaptation.refinement import refined
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.groups import CAUSES
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots.conditioned import ConditionedRobot
from ros_mbmrl.robots.quantities import Cause
from ros_mbmrl.robots.spec import Robot, RobotSpec

# One feature, two commands; the outputs are functions of the commands as they act.
NORMALIZER = Normalizer(
    torch.tensor([0.0, 0.3, -0.2]), torch.tensor([1.0, 0.5, 2.0]), torch.zeros(2), torch.ones(2)
)
LINEAR, CURVED = MLP((3, 2)), MLP((3, 16, 2))


@pytest.fixture
def spec(robot: Robot) -> RobotSpec:
    return robot.spec


def known(spec: RobotSpec, net: MLP, deviation: float = 0.01) -> Parameters:
    """A network with a bank; its errors have so large deviations."""
    errors = ErrorDistribution(torch.eye(2) / deviation, torch.tensor([4.0]))
    own = {**Bank.of(spec).parameters(NORMALIZER), **CAUSES.named(errors.tensors)}
    network = net.init(Generator().manual_seed(3))
    if net.layers == 1:
        std = NORMALIZER.input_std[1:]
        network["w0"] = torch.cat([torch.zeros(1, 2), torch.diag(std)])
    return {**network, **own}


def seen(net: MLP, parameters: Parameters, share: Tensor, rows: int = 16) -> Support:
    """Windows (1, rows) in which the commands act to the shares (rows, 2) or (2,)."""
    draws = np.random.default_rng(0).uniform(-1, 1, (1, rows, 2))
    actions = torch.from_numpy(draws).float()
    still = torch.zeros(1, rows, 1)
    y = net.forward(parameters, NORMALIZER.inputs(still, actions * share))
    return Support(NORMALIZER.inputs(still, actions), y, torch.ones(1, rows, 1), torch.ones(2))


def inferred(net: MLP, parameters: Parameters, support: Support, steps: int = 3) -> Tensor:
    """The shares (2,) of commands under the update."""
    update = CauseFilter(refine=steps).update(net, parameters, support)
    assert update.inputs is not None
    return update.inputs.scale[0, 1:]


@pytest.mark.parametrize("net", [LINEAR, CURVED])
@pytest.mark.parametrize("share", [0.1, 0.25, 0.37, 0.63])
def test_an_effectiveness_between_the_levels_is_found(
    spec: RobotSpec, net: MLP, share: float
) -> None:
    parameters = known(spec, net)
    found = inferred(net, parameters, seen(net, parameters, torch.tensor([1.0, share])))
    assert abs(float(found[1]) - share) < 0.01 and float(found[0]) == 1.0


def test_without_steps_it_is_the_level(spec: RobotSpec) -> None:
    parameters = known(spec, LINEAR)
    support = seen(LINEAR, parameters, torch.tensor([1.0, 0.37]))
    assert inferred(LINEAR, parameters, support, steps=0).tolist() == [1.0, 0.5]


def test_members_of_a_group_have_values_of_their_own(spec: RobotSpec) -> None:
    spec = replace(spec, fail_together={"base": ("drive", "turn")})
    parameters = known(spec, CURVED)
    support = seen(CURVED, parameters, torch.tensor([0.3, 0.6]))
    found = inferred(CURVED, parameters, support)
    torch.testing.assert_close(found, torch.tensor([0.3, 0.6]), atol=0.02, rtol=0.0)


def test_it_is_the_maximum_a_posteriori(spec: RobotSpec) -> None:
    # One row: command .5 of the drive, .4 of it acts, errors of deviation .1, light tails. With
    # e = .5 + .3 z: minimise ((.5 e - .2) / .1)^2 + z^2, z = -.5 * 1.5 / (1.5^2 + 1).
    parameters = known(spec, LINEAR, deviation=0.1)
    parameters["causes.freedom"] = torch.tensor([1e6])
    bank = CAUSES.part(parameters)
    x = NORMALIZER.inputs(torch.zeros(1, 1, 1), torch.tensor([[[0.5, 0.0]]]))
    y = torch.tensor([[[0.2, 0.0]]]) - NORMALIZER.input_mean[1:]
    support = Support(x, y, torch.ones(1, 1, 1), torch.ones(2))
    which = torch.tensor([1])
    (found,) = refined(LINEAR, parameters, bank, support, which, torch.ones(1, 1), 1)
    # The level itself is as probable as the Bayes factor says: exp((.75^2 / 3.25 - log 3.25) / 2).
    sure = expected_share(0.75, 3.25)
    assert found.tolist() == pytest.approx([0.5 - sure * 0.3 * 0.75 / 3.25, 1.0], abs=1e-4)
    # A row that counts as a fifth: z = -.5 * 1.5 / 5 / (1.5^2 / 5 + 1).
    bank["independent"] = torch.tensor([0.2])
    (found,) = refined(LINEAR, parameters, bank, support, which, torch.ones(1, 1), 1)
    sure = expected_share(0.15, 1.45)
    assert found.tolist() == pytest.approx([0.5 - sure * 0.3 * 0.15 / 1.45, 1.0], abs=1e-4)


def expected_share(gradient: float, hessian: float) -> float:
    """Posterior probability of the neighbourhood, of one cause."""
    factor = math.exp(0.5 * (gradient**2 / hessian - math.log(hessian)))
    return factor / (1.0 + factor)


def test_what_is_at_its_level_stays_there_under_noise(spec: RobotSpec) -> None:
    parameters, off = known(spec, LINEAR, deviation=0.3), []
    for seed in range(20):
        support = seen(LINEAR, parameters, torch.tensor([1.0, 0.5]))
        noise = 0.3 * torch.randn(support.y.shape, generator=Generator().manual_seed(seed))
        found = inferred(LINEAR, parameters, replace(support, y=support.y + noise))
        off.append(abs(float(found[1]) - 0.5))
    assert sum(off) / len(off) < 0.06


def test_values_stay_in_their_range(spec: RobotSpec) -> None:
    parameters = known(spec, LINEAR)
    support = seen(LINEAR, parameters, torch.tensor([-0.4, 1.0]))
    assert inferred(LINEAR, parameters, support).tolist() == [0.0, 1.0]


def test_rows_before_the_change_do_not_count(spec: RobotSpec) -> None:
    parameters = known(spec, CURVED)
    share = torch.ones(16, 2)
    share[8:, 0] = 0.37
    found = inferred(CURVED, parameters, seen(CURVED, parameters, share))
    assert abs(float(found[0]) - 0.37) < 0.05


def test_a_wild_row_counts_little(spec: RobotSpec) -> None:
    parameters = known(spec, LINEAR)
    support = seen(LINEAR, parameters, torch.tensor([0.37, 1.0]))
    support.y[0, 5] = 6.0
    assert abs(float(inferred(LINEAR, parameters, support)[0]) - 0.37) < 0.05


def test_tasks_that_share_rows_are_refined_by_themselves(spec: RobotSpec) -> None:
    parameters = known(spec, CURVED)
    share = torch.ones(16, 2)
    share[8:, 0] = 0.3
    both = seen(CURVED, parameters, share)
    weight = torch.ones(2, 16, 1)
    weight[0, 8:] = 0.0
    update = CauseFilter().update(CURVED, parameters, replace(both, weight=weight))
    assert update.inputs is not None and len(update.inputs.scale) == 2
    assert update.inputs.scale[0, 1:].tolist() == [1.0, 1.0]
    assert abs(float(update.inputs.scale[1, 1]) - 0.3) < 0.05


def test_all_well_is_left_alone(spec: RobotSpec) -> None:
    parameters = known(spec, LINEAR)
    support = seen(LINEAR, parameters, torch.tensor([0.97, 1.0]))
    assert inferred(LINEAR, parameters, support).tolist() == [1.0, 1.0]


def test_a_vector_is_refined_in_every_direction(robot: Robot) -> None:
    robot = copy(robot)
    push = (Cause(f"push_{k}", "N", -6.0, 6.0, 0.0, (-2.0, 2.0), vector="push") for k in "xy")
    robot.spec = replace(robot.spec, causes=tuple(push))
    spec = ConditionedRobot(robot).spec
    # Inputs: speed, the push, the commands; outputs: what all of them do together.
    normalizer = Normalizer(torch.zeros(5), torch.ones(5), torch.zeros(2), torch.ones(2))
    net, errors = MLP((5, 12, 2)), ErrorDistribution(50 * torch.eye(2), torch.tensor([4.0]))
    bank = {**Bank.of(spec).parameters(normalizer), **CAUSES.named(errors.tensors)}
    parameters = {**net.init(Generator().manual_seed(0)), **bank}
    truth = torch.tensor([0.8, 2.5])
    x = torch.randn(1, 16, 5, generator=Generator().manual_seed(1))
    x[..., 1:3] = 0.0
    told = x.clone()
    told[..., 1:3] = truth
    y = net.forward(parameters, told)
    support = Support(x, y, torch.ones(1, 16, 1), torch.ones(2))
    best = torch.tensor([Bank.of(spec).names.index("push_y 2 N")])
    holds = torch.ones(1, 16)
    (found,) = refined(net, parameters, CAUSES.part(parameters), support, best, holds, 6)
    torch.testing.assert_close(found[:2], truth, atol=0.1, rtol=0.0)
    assert found[2:].tolist() == [1.0, 1.0]
