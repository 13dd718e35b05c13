"""Latent variables in the loop: updates, their guard, the planner's roll-out, and variances."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.base import Support, UpdateRule, Window
from ros_mbmrl.adaptation.guard import Guard, GuardConfig, norm_of, support_of
from ros_mbmrl.adaptation.latent import LatentRule, MLSM1Rule
from ros_mbmrl.adaptation.members import over
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.networks.groups import place
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.networks.updates import Update

Prior = tuple[DynamicsModel, Parameters]
every = pytest.mark.parametrize("method", ["gssm", "mlsm_v0", "mlsm_v1"])


def with_rule(prior: Prior, method: str) -> tuple[UpdateRule, Parameters]:
    """Return the rule and parameters under which z has an effect."""
    rule, g = make_rule(method), Generator().manual_seed(0)
    own = prior[1] | rule.init(prior[0].mlp, prior[1], g)
    own["condition.b0"] = 0.1 * torch.randn(own["condition.b0"].shape, generator=g)
    return rule, own


def raw_of(model: DynamicsModel, tasks: int, length: int, seed: int = 1) -> tuple[Tensor, ...]:
    """Return features, actions and changes (tasks, length, ...) about those of the data."""
    g, n = Generator().manual_seed(seed), model.normalizer
    x = n.input_mean + n.input_std * torch.randn(tasks, length, len(n.input_mean), generator=g)
    y = n.change_mean + n.change_std * torch.randn(tasks, length, len(n.change_mean), generator=g)
    features = len(model.robot.spec.features)
    return x[..., :features], x[..., features:], y


@every
def test_at_first_nothing_is_changed(prior: Prior, method: str) -> None:
    model, parameters = prior
    rule = make_rule(method)
    own = parameters | rule.init(model.mlp, parameters, Generator().manual_seed(0))
    assert all(place(name) for name in own)
    support = support_of(model, *raw_of(model, 2, 8))
    update = rule.update(model.mlp, own, support)
    found = model.mlp.forward_updated(own, update, support.x).outputs
    torch.testing.assert_close(found, model.mlp.forward(parameters, support.x))


@every
def test_a_task_without_a_row_is_not_updated(prior: Prior, method: str) -> None:
    model = prior[0]
    rule, own = with_rule(prior, method)
    support = support_of(model, *raw_of(model, 2, 8))
    support = replace(support, weight=support.weight * torch.tensor([1.0, 0.0])[:, None, None])
    update = rule.update(model.mlp, own, support)
    found = model.mlp.forward_updated(own, update, support.x).outputs
    plain = model.mlp.forward(own, support.x)
    torch.testing.assert_close(found[1], plain[1])
    assert not torch.allclose(found[0], plain[0])
    assert norm_of(update)[0] > 0 and norm_of(update)[1] == 0


@every
def test_planners_roll_out_what_the_update_predicts(prior: Prior, method: str) -> None:
    """One task with its update written in, and several by `predictor_each`."""
    model = prior[0]
    rule, own = with_rule(prior, method)
    update = rule.update(model.mlp, own, support_of(model, *raw_of(model, 3, 8)))
    g = Generator().manual_seed(2)
    states = 0.1 * torch.randn(3, len(model.robot.spec.state), generator=g)
    actions = torch.randn(3, 5, 4, len(model.robot.spec.action), generator=g)
    with torch.no_grad():
        each = model.predictor_each(own, update)(states, actions)
        for k in range(3):
            alone = update.tasks(slice(k, k + 1))
            expected = model.rollout_updated(
                own, alone.repeated(5), states[k].expand(5, -1), actions[k]
            )
            torch.testing.assert_close(each[k], expected, rtol=1e-4, atol=1e-5)
            roll = model.predictor(model.mlp.materialise(own, alone))
            found = roll(states[k].expand(5, -1), actions[k])
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_the_guard_takes_an_update_that_explains_the_window(prior: Prior) -> None:
    model = prior[0]
    rule, own = with_rule(prior, "gssm")
    features, actions, _ = raw_of(model, 1, 16)
    guard = Guard(rule, own, 16, GuardConfig())
    told = model.predict(prior[1], features, actions)
    well = guard.adapt(model, Window(features[0], actions[0], told[0]))
    assert not well.report.accepted and well.report.change > 0  # the prior is right here
    free = Guard(rule, own, 16, GuardConfig(enabled=False))
    taken = free.adapt(model, Window(features[0], actions[0], told[0]))
    assert taken.report.accepted and "attended.keys" in taken.parameters


@every
def test_variances_are_those_of_many_draws_of_z(prior: Prior, method: str) -> None:
    model = prior[0]
    rule, own = with_rule(prior, method)
    own["noise.b"] = torch.full_like(own["noise.b"], -2.0)
    own["condition.b0"] = 0.1 * own["condition.b0"]  # near to linear, as sigma points assume
    update = rule.update(model.mlp, own, support_of(model, *raw_of(model, 2, 8)))
    g = Generator().manual_seed(3)
    states = 0.1 * torch.randn(2, 1, len(model.robot.spec.state), generator=g)
    actions = torch.randn(2, 1, len(model.robot.spec.action), generator=g)
    found = model.moments(own, update, states, actions)
    unit = model.normalizer.change_std.square()
    assert found.aleatoric is not None and found.disagreement is not None
    torch.testing.assert_close(found.aleatoric, (unit * torch.tensor(-2.0).exp()).expand(2, 1, -1))
    assert update.spread is not None
    draws = torch.randn(2, 20_000, update.spread.shape[1], generator=g)
    many = [part.expand(2, 20_000, -1) for part in (states, actions)]
    expected = model.outputs(own, update.drawn(draws), *many).var(dim=1, keepdim=True) * unit
    torch.testing.assert_close(found.disagreement, expected, rtol=0.1, atol=1e-12)
    plain = model.moments(own, model.mlp.no_update, states, actions)
    assert plain.disagreement is not None and not plain.disagreement.any()


def test_members_of_an_ensemble_attend_each_for_itself(prior: Prior) -> None:
    single = prior[0]
    mlp = Ensemble(single.mlp.sizes, single.mlp.activation, 2)
    model, rule = replace(single, mlp=mlp), make_rule("gssm")
    g = Generator().manual_seed(0)
    members = mlp.init(g)
    guard_rule = over(rule, mlp)
    own = members | guard_rule.init(mlp, members, g)
    for name in own:
        if name.endswith("condition.b0"):
            own[name] = 0.1 * torch.randn(own[name].shape, generator=g)
    update = guard_rule.update(mlp, own, support_of(model, *raw_of(model, 1, 8)))
    states = 0.1 * torch.randn(4, len(model.robot.spec.state), generator=g)
    actions = torch.randn(4, 3, len(model.robot.spec.action), generator=g)
    with torch.no_grad():
        found = model.predictor(mlp.materialise(own, update))(states, actions)
        for k in range(4):
            member: Update = update.members[k % 2]
            rows = {
                name[len(f"member.{k % 2}.") :]: value
                for name, value in own.items()
                if name.startswith(f"member.{k % 2}.")
            }
            expected = model.member.rollout_updated(
                rows, member, states[k : k + 1], actions[k : k + 1]
            )
            torch.testing.assert_close(found[k : k + 1], expected, rtol=1e-4, atol=1e-5)


@every
def test_gradients_reach_the_encoder_through_the_update(prior: Prior, method: str) -> None:
    model = prior[0]
    rule, own = with_rule(prior, method)
    own = {name: value.clone().requires_grad_() for name, value in own.items()}
    support: Support = support_of(model, *raw_of(model, 2, 8))
    outputs = model.mlp.forward_updated(own, rule.update(model.mlp, own, support), support.x)
    torch.autograd.backward(outputs.outputs.square().sum())
    for name in ("encoder.w0", "condition.b0"):
        grad = own[name].grad
        assert grad is not None and grad.abs().sum() > 0


@pytest.mark.parametrize(
    "options", [{"temperature": 0.0}, {"temperature": -1}, {"size": 0}, {"particles": 0}]
)
@every
def test_wrong_options_are_refused(method: str, options: dict[str, object]) -> None:
    with pytest.raises(UserError, match=f"method {method}: {next(iter(options))}: expected"):
        make_rule(method, options)


def test_options_reach_the_encoder() -> None:
    rule = make_rule("mlsm_v1", {"size": 3, "temperature": 2.0})
    assert isinstance(rule, MLSM1Rule) and isinstance(rule, LatentRule)
    assert (rule.encoder.size, rule.encoder.temperature, rule.encoder.hidden) == (3, 2.0, 32)
