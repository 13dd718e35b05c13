"""Draws of a latent variable: which draw imagines what, and that risk alone asks for them."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.guard import support_of
from ros_mbmrl.dynamics.draws import DRAWS, Uncertain, draws
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.networks.updates import Update
from ros_mbmrl.planning.members import member_count, propagated
from ros_mbmrl.planning.sampling import SamplingConfig

Prior = tuple[DynamicsModel, Parameters]
TASKS = 2


def test_draws_are_the_same_always_and_cancel() -> None:
    assert torch.equal(draws(5), draws(5)) and draws(5).shape == (DRAWS, 5)
    half = DRAWS // 2
    assert torch.equal(draws(5)[:half], -draws(5)[half:])


@pytest.fixture(params=["gssm", "mlsm_v0", "mlsm_v1"])
def adapted(request: pytest.FixtureRequest, prior: Prior) -> tuple[Prior, Update]:
    """A model of each kind with updates of two tasks, under which z has an effect."""
    (model, parameters), g = prior, Generator().manual_seed(0)
    rule = make_rule(request.param)
    own = parameters | rule.init(model.mlp, parameters, g)
    own["condition.b0"] = 0.1 * torch.randn(own["condition.b0"].shape, generator=g)
    n, features = model.normalizer, len(model.robot.spec.features)
    x = n.input_mean + n.input_std * torch.randn(TASKS, 8, len(n.input_mean), generator=g)
    y = n.change_mean + n.change_std * torch.randn(TASKS, 8, len(n.change_mean), generator=g)
    support = support_of(model, x[..., :features], x[..., features:], y)
    return (model, own), rule.update(model.mlp, own, support)


def rows(model: DynamicsModel, count: int) -> tuple[Tensor, Tensor]:
    spec, g = model.robot.spec, Generator().manual_seed(3)
    state = 0.1 * torch.randn(TASKS, len(spec.state), generator=g)
    return state, torch.rand(TASKS, count, 3, len(spec.action), generator=g)


def test_one_robot_is_imagined_as_many_are(adapted: tuple[Prior, Update]) -> None:
    (model, own), update = adapted
    state, actions = rows(model, 2 * DRAWS)
    each = model.predictor_each(own, update)
    assert isinstance(each, Uncertain) and member_count(each) == 1
    together = each.uncertain()(state, actions)
    for n in range(TASKS):
        alone = update.tasks(slice(n, n + 1))
        assert alone.spread is not None
        written = model.mlp.materialise(own, alone)
        predict = model.predictor(written, spread=alone.spread[0])
        torch.testing.assert_close(
            each(state, actions)[n], predict(state[n].expand(16, -1), actions[n])
        )
        assert isinstance(predict, Uncertain)
        drawn = predict.uncertain()(state[n].expand(2 * DRAWS, -1), actions[n])
        torch.testing.assert_close(together[n], drawn)


def test_draws_are_those_of_the_latent_variable(adapted: tuple[Prior, Update]) -> None:
    (model, own), update = adapted
    assert update.spread is not None
    state, actions = rows(model, 2 * DRAWS)  # candidate k is imagined under draw k mod DRAWS
    found = model.predictor_each(own, update).uncertain()(state, actions)  # type: ignore[attr-defined]
    for d, z in enumerate(draws(update.spread.shape[1])):
        one = update.drawn(z.expand(TASKS, 1, -1))
        expected = model.predictor_each(own, one)(state, actions[:, d::DRAWS])
        torch.testing.assert_close(found[:, d::DRAWS], expected)


def test_a_planner_without_risk_plans_by_the_mean(adapted: tuple[Prior, Update]) -> None:
    (model, own), update = adapted
    predict = model.predictor_each(own, update)
    assert propagated(predict, SamplingConfig(), None) is predict
    risky = propagated(predict, SamplingConfig(risk=0.5), None)
    assert member_count(risky) == DRAWS


def test_what_is_not_known_yet_is_no_risk(adapted: tuple[Prior, Update]) -> None:
    (model, own), _ = adapted
    nothing = model.predictor_each(own, model.mlp.no_update)
    assert member_count(propagated(nothing, SamplingConfig(risk=0.5), None)) == 1
    single = model.predictor(own)
    assert member_count(propagated(single, SamplingConfig(risk=0.5), None)) == 1
