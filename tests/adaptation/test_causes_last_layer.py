"""A cause and a last layer: the one names what failed, the other follows what is left."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.bank import Bank
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.causes_last_layer import CausesLastLayer
from ros_mbmrl.adaptation.error_distribution import ErrorDistribution
from ros_mbmrl.adaptation.members import over
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.ensemble import Ensemble, unstacked
from ros_mbmrl.networks.groups import CAUSES
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots.spec import Robot

# One feature, two commands; the outputs are the two commands as they act, in SI units.
NORMALIZER = Normalizer(torch.zeros(3), torch.ones(3), torch.zeros(2), torch.ones(2))
NET, BOTH = MLP((3, 2)), Ensemble((3, 2), members=2)
DEAD = 4  # number of the hypothesis that `turn` is dead
LEFT = torch.tensor([0.3, -0.2])  # shift of the outputs that no cause of the robot makes


@pytest.fixture
def parameters(robot: Robot) -> Parameters:
    errors = ErrorDistribution(10 * torch.eye(2), torch.tensor([3.0]))
    own = {**Bank.of(robot.spec).parameters(NORMALIZER), **CAUSES.named(errors.tensors)}
    return {"w0": torch.cat([torch.zeros(1, 2), torch.eye(2)]), "b0": torch.zeros(2), **own}


@pytest.fixture
def support(robot: Robot) -> Support:
    """Sixteen rows in which `turn` is dead, and the outputs are shifted."""
    actions = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (1, 16, 2))).float()
    x = torch.cat([torch.zeros(1, 16, 1), actions], dim=-1)
    y = actions * Bank.of(robot.spec).effectiveness[DEAD] + LEFT
    return Support(x, y, torch.ones(1, 16, 1), torch.ones(2))


def error(mlp: MLP, parameters: Parameters, rule: str, support: Support) -> Tensor:
    update = make_rule(rule).update(mlp, parameters, support)
    outputs = mlp.forward_updated(parameters, update, support.x).outputs
    return (outputs - support.y).abs().mean()


def test_what_no_cause_explains_is_followed_as_well(
    parameters: Parameters, support: Support
) -> None:
    by_cause = error(NET, parameters, "causes", support)
    assert by_cause > 0.1
    assert error(NET, parameters, "causes_ll", support) < 0.1 * by_cause


def test_the_diagnosis_is_that_of_the_filter(
    robot: Robot, parameters: Parameters, support: Support
) -> None:
    found = [
        rule.beliefs(robot.spec, rule.update(NET, parameters, support))
        for rule in (make_rule("causes"), make_rule("causes_ll"))
    ]
    assert found[0] == found[1]
    assert max(found[1][0], key=found[1][0].__getitem__) == "turn dead"


def test_written_into_the_weights_it_predicts_the_same(
    parameters: Parameters, support: Support
) -> None:
    update = CausesLastLayer().update(NET, parameters, support)
    outputs = NET.forward_updated(parameters, update, support.x).outputs
    torch.testing.assert_close(NET.forward(NET.materialise(parameters, update), support.x), outputs)


def test_members_share_the_cause_and_have_a_last_layer_each(
    robot: Robot, parameters: Parameters, support: Support
) -> None:
    other = {**parameters, "b0": torch.tensor([-0.4, 0.4])}  # wrong in another way
    network = [{name: each[name] for name in ("w0", "b0")} for each in (parameters, other)]
    whole = {**unstacked(network), **CAUSES.named(CAUSES.part(parameters))}
    rule = over(CausesLastLayer(), BOTH)
    update = rule.update(BOTH, whole, support)
    passes = BOTH.passes(whole, update, support.x)
    for each in passes:  # either member is right by itself
        assert (each.outputs - support.y).abs().mean() < 0.05
    assert rule.beliefs(robot.spec, update)


def test_wrong_options_are_refused() -> None:
    with pytest.raises(UserError, match="method causes_ll: change: expected a probability"):
        make_rule("causes_ll", {"cause_change": 0.0})
    with pytest.raises(UserError, match="method causes_ll: signal, bias_signal, limit"):
        make_rule("causes_ll", {"signal": 0.0})
