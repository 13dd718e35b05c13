"""Inferring which actuator has failed: by hand, by Bayes, and on a robot that breaks."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.bank import Bank
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.causes import CauseFilter
from ros_mbmrl.adaptation.error_distribution import ErrorDistribution
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.groups import CAUSES
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots.conditioned import ConditionedRobot
from ros_mbmrl.robots.quantities import Cause
from ros_mbmrl.robots.spec import Robot

# One feature, two commands; the outputs are the two commands as they act, in SI units.
NORMALIZER = Normalizer(
    torch.tensor([0.0, 0.3, -0.2]), torch.tensor([1.0, 0.5, 2.0]), torch.zeros(2), torch.ones(2)
)
NET = MLP((3, 2))


@pytest.fixture
def bank(robot: Robot) -> Bank:
    return Bank.of(robot.spec)


@pytest.fixture
def parameters(bank: Bank) -> Parameters:
    std, mean = NORMALIZER.input_std[1:], NORMALIZER.input_mean[1:]
    weight = torch.cat([torch.zeros(1, 2), torch.diag(std)])
    errors = ErrorDistribution(10 * torch.eye(2), torch.tensor([3.0]))
    own = {**bank.parameters(NORMALIZER), **CAUSES.named(errors.tensors)}
    return {"w0": weight, "b0": mean, **own}


def window(actions: Tensor, share: Tensor, weight: Tensor | None = None) -> Support:
    """Rows under which the commands (N, T, 2) act to so much (N, T, 2), seen with no noise."""
    tasks, length, _ = actions.shape
    x = NORMALIZER.inputs(torch.zeros(tasks, length, 1), actions)
    seen = torch.ones(tasks, length, 1) if weight is None else weight
    return Support(x, actions * share, seen, torch.ones(2))


def drawn(length: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).uniform(-1, 1, (1, length, 2))).float()


@pytest.mark.parametrize("hypothesis", range(5))
def test_the_right_hypothesis_is_found(bank: Bank, parameters: Parameters, hypothesis: int) -> None:
    actions = drawn(8)
    support = window(actions, bank.effectiveness[hypothesis].expand_as(actions))
    belief = CauseFilter().posterior(NET, parameters, support)
    assert int(belief.argmax()) == hypothesis and float(belief.max()) > 0.95
    update = CauseFilter().update(NET, parameters, support)
    outputs = NET.forward_updated(parameters, update, support.x).outputs
    torch.testing.assert_close(outputs, support.y, atol=1e-5, rtol=0.0)
    torch.testing.assert_close(NET.forward(NET.materialise(parameters, update), support.x), outputs)


def test_one_row_is_weighed_as_bayes_does(bank: Bank, parameters: Parameters) -> None:
    # Command (0.1, 0), nothing acts: one deviation of the drive from all well and half from weak.
    # The density of a Student-t with nu = 3 in two dimensions is (1 + m^2 / 3)^-2.5.
    support = window(torch.tensor([[[0.1, 0.0]]]), torch.zeros(1, 1, 2))
    found = CauseFilter(change=0.5, well=0.6).posterior(NET, parameters, support)
    likelihood = (1 + torch.tensor([1.0, 0.25, 0.0, 1.0, 1.0]) / 3) ** -2.5
    expected = torch.tensor([0.6, 0.1, 0.1, 0.1, 0.1]) * likelihood
    torch.testing.assert_close(found[0], expected / expected.sum())


def test_hypotheses_have_odds(bank: Bank, parameters: Parameters) -> None:
    # Nothing is seen: the posterior is the prior.
    parameters["causes.odds"] = torch.tensor([1.0, 1.0, 1.0, 3.0, 5.0])
    support = window(drawn(1), torch.ones(1, 1, 2), torch.zeros(1, 1, 1))
    found = CauseFilter(well=0.6).posterior(NET, parameters, support)
    torch.testing.assert_close(found[0], torch.tensor([0.6, 0.04, 0.04, 0.12, 0.2]))


def test_rows_that_are_not_independent_are_weaker_evidence(
    bank: Bank, parameters: Parameters
) -> None:
    actions = 0.2 * drawn(1)
    support = window(actions, bank.effectiveness[2].expand(1, 1, 2))
    odds = []
    for share in (1.0, 0.5):
        parameters["causes.independent"] = torch.tensor([share])
        belief = CauseFilter(change=0.01).posterior(NET, parameters, support)[0]
        odds.append(float((belief[2] / belief[1]).log()))
    assert odds[1] == pytest.approx(0.5 * odds[0], rel=1e-3)  # their priors are equal


def test_a_change_within_the_window_is_followed(bank: Bank, parameters: Parameters) -> None:
    actions = drawn(16)
    share = torch.ones(1, 16, 2)
    share[:, :10, 0] = 0.0
    share[:, 10:, 1] = 0.0
    belief = CauseFilter().posterior(NET, parameters, window(actions, share))
    assert bank.names[int(belief.argmax())] == "turn dead"


def test_the_cause_is_told_by_name(robot: Robot, bank: Bank, parameters: Parameters) -> None:
    actions = drawn(8)
    support = window(actions, bank.effectiveness[4].expand_as(actions))
    update = CauseFilter().update(NET, parameters, support)
    (found,) = CauseFilter().beliefs(robot.spec, update)
    assert list(found) == list(bank.names) and found["turn dead"] > 0.95


def test_a_bank_of_other_groups_is_refused(robot: Robot, parameters: Parameters) -> None:
    spec = replace(robot.spec, fail_together={"base": ("drive", "turn")})
    update = CauseFilter().update(NET, parameters, window(drawn(4), torch.ones(1, 4, 2)))
    with pytest.raises(UserError, match="bank has 5 hypotheses, expected 3 of toy: train it again"):
        CauseFilter().beliefs(spec, update)


def test_without_evidence_all_is_well(parameters: Parameters) -> None:
    nothing = window(drawn(4), torch.zeros(1, 4, 2), torch.zeros(1, 4, 1))
    update = CauseFilter().update(NET, parameters, nothing)
    assert update.inputs is not None
    assert torch.equal(update.inputs.scale, torch.ones(1, 3)) and not update.inputs.shift.any()


def test_a_single_wild_row_does_not_decide(parameters: Parameters) -> None:
    actions = drawn(12)
    support = window(actions, torch.ones_like(actions))
    support.y[0, 11, 0] = 9.0
    assert int(CauseFilter().posterior(NET, parameters, support).argmax()) == 0


def test_tasks_that_share_rows_differ_in_their_weights(bank: Bank, parameters: Parameters) -> None:
    actions, share = drawn(12), torch.ones(1, 12, 2)
    share[:, 6:, 1] = 0.0
    weight = torch.ones(2, 12, 1)
    weight[0, 6:] = 0.0
    belief = CauseFilter().posterior(NET, parameters, window(actions, share, weight))
    assert [bank.names[k] for k in belief.argmax(-1)] == ["all well", "turn dead"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"change": 0.0}, "change: expected a probability between 0 and 1, got 0.0"),
        ({"well": 1.0}, "well: expected a probability between 0 and 1, got 1.0"),
        ({"limit": 5.0}, "unexpected keyword argument 'limit'"),
    ],
)
def test_wrong_options_are_one_line(options: dict[str, float], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make_rule("causes", options)


@pytest.mark.parametrize("push", [-1.4, 0.7, 1.0, 1.6])
def test_a_cause_that_is_no_actuator_is_found_and_refined(robot: Robot, push: float) -> None:
    robot = copy(robot)
    robot.spec = replace(robot.spec, causes=(Cause("push", "N", -2.0, 2.0, 0.0, (-1.0, 1.0)),))
    spec = ConditionedRobot(robot).spec
    # Inputs: speed, push, the commands. Outputs: the commands as they act, the push on the first.
    normalizer = Normalizer(
        torch.tensor([0.0, 0.1, 0.3, -0.2]),
        torch.tensor([1.0, 2.0, 0.5, 2.0]),
        *[torch.ones(2)] * 2,
    )
    weight = torch.zeros(4, 2)
    weight[1, 0], weight[2, 0], weight[3, 1] = 2.0, 0.5, 2.0
    errors = ErrorDistribution(50 * torch.eye(2), torch.tensor([3.0]))
    own = {**Bank.of(spec).parameters(normalizer), **CAUSES.named(errors.tensors)}
    net, parameters = MLP((4, 2)), {"w0": weight, "b0": torch.zeros(2), **own}

    def inputs(value: float) -> Tensor:
        features = torch.tensor([0.0, value]).expand(1, 12, 2)
        return normalizer.inputs(features, drawn(12))

    y = net.forward(parameters, inputs(push))
    support = Support(inputs(0.0), y, torch.ones(1, 12, 1), torch.ones(2))
    update = CauseFilter().update(net, parameters, support)
    (found,) = CauseFilter().beliefs(spec, update)
    assert max(found, key=lambda name: found[name]) == f"push {1 if push > 0 else -1} N"
    outputs = net.forward_updated(parameters, update, support.x).outputs
    torch.testing.assert_close(outputs, y, atol=0.01, rtol=0.0)
