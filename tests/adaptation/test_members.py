"""Every rule on an ensemble: each member as if alone, and the guard judges their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation import METHODS, make_rule
from ros_mbmrl.adaptation.base import Support, UpdateRule, Window
from ros_mbmrl.adaptation.diagnosis import Beliefs
from ros_mbmrl.adaptation.guard import Guard, GuardConfig, support_of
from ros_mbmrl.adaptation.members import EachMember, knowing_prior, over
from ros_mbmrl.adaptation.residual import MeanResidual
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.ensemble import Ensemble, MemberUpdates, members_of, unstacked
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.recurrent import imagine
from ros_mbmrl.networks.updates import LayerUpdate, Update
from ros_mbmrl.robots.spec import Robot, RobotSpec

SINGLE, WHOLE = MLP((3, 16, 8, 4), "silu"), Ensemble((3, 16, 8, 4), "silu", 3)
CHANGING = [method for method in METHODS if not make_rule(method).inputs_only]
SHIFT = torch.tensor([0.8, -0.6, 0.4, 0.2])


def model_of(robot: Robot, mlp: MLP) -> DynamicsModel:
    one = torch.ones
    return DynamicsModel(robot, mlp, Normalizer(torch.zeros(3), one(3), torch.zeros(4), one(4)))


def one_network(rule: UpdateRule, seed: int = 0) -> Parameters:
    """A network and the rule's own parameters, none of them zero."""
    g = Generator().manual_seed(seed)
    parameters = SINGLE.init(g)
    own = rule.init(SINGLE, parameters, g)
    return parameters | {n: v + 0.1 * torch.randn(v.shape, generator=g) for n, v in own.items()}


def window(model: DynamicsModel, parameters: Parameters, rows: int = 16) -> Window:
    g = Generator().manual_seed(5)
    features, actions = torch.randn(rows, 1, generator=g), torch.randn(rows, 2, generator=g)
    noise = 0.05 * torch.randn(rows, 4, generator=g)
    return Window(features, actions, model.predict(parameters, features, actions) + SHIFT + noise)


def tasks(model: DynamicsModel) -> Support:
    """Two tasks with a row each that does not count."""
    g = Generator().manual_seed(6)
    weight = torch.ones(2, 6, 1)
    weight[0, 0], weight[1, 4] = 0.0, 0.0
    shapes = ((2, 6, 1), (2, 6, 2), (2, 6, 4))
    return support_of(model, *(torch.randn(shape, generator=g) for shape in shapes), weight)


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", CHANGING)
def test_equal_members_adapt_as_one_network_does(robot: Robot, method: str) -> None:
    rule = make_rule(method)
    parameters = one_network(rule)
    together = unstacked([parameters] * 3)
    config = GuardConfig(max_change=100.0)
    one, many = model_of(robot, SINGLE), model_of(robot, WHOLE)
    seen = window(one, parameters)
    alone = Guard(rule, parameters, 16, config).adapt(one, seen)
    found = Guard(rule, together, 16, config).adapt(many, seen)
    assert found.report.accepted == alone.report.accepted
    assert found.report.reason.split(":")[0] == alone.report.reason.split(":")[0]
    assert found.report.error_before == pytest.approx(alone.report.error_before, rel=1e-4)
    assert found.report.error_after == pytest.approx(alone.report.error_after, rel=1e-3)
    assert found.report.change == pytest.approx(alone.report.change, rel=1e-3)
    for own in members_of(found.parameters):
        assert own.keys() == alone.parameters.keys()
        for name, value in own.items():
            close(value, alone.parameters[name])
    g = Generator().manual_seed(7)
    state, actions = torch.randn(5, 4, generator=g), torch.randn(5, 4, 2, generator=g)
    expected = one.predictor(alone.parameters, alone.hidden)(state, actions)
    close(many.predictor(found.parameters, found.hidden)(state, actions), expected)


@pytest.mark.parametrize("method", CHANGING)
def test_each_member_is_adapted_as_if_alone(robot: Robot, method: str) -> None:
    rule = make_rule(method)
    members = [one_network(rule, seed) for seed in range(3)]
    together, many = unstacked(members), model_of(robot, WHOLE)
    support = tasks(many)
    update = over(rule, WHOLE).update(WHOLE, together, support)
    assert isinstance(update, MemberUpdates)
    alone = [rule.update(SINGLE, own, support) for own in members]
    outputs = [
        SINGLE.forward_updated(own, change, support.x).outputs
        for own, change in zip(members, alone, strict=True)
    ]
    mean = torch.stack(outputs).mean(dim=0)
    close(WHOLE.forward_updated(together, update, support.x).outputs, mean)
    written = members_of(WHOLE.materialise(together, update.tasks(slice(1, 2))))
    each = [SINGLE.forward(own, support.x[1]) for own in written]
    close(torch.stack(each).mean(dim=0), mean[1])
    known = over(rule, WHOLE).update(WHOLE, together, knowing_prior(support, WHOLE, together))
    close(WHOLE.forward_updated(together, known, support.x).outputs, mean)


@pytest.mark.parametrize("method", CHANGING)
@pytest.mark.parametrize("count", [2, 7])
def test_many_robots_are_imagined_as_one_each(robot: Robot, method: str, count: int) -> None:
    rule, many = make_rule(method), model_of(robot, WHOLE)
    together = unstacked([one_network(rule, seed) for seed in range(3)])
    config = GuardConfig(enabled=False)
    guard, support = Guard(rule, together, 6, config), tasks(many)
    update, _ = guard.update(WHOLE, support)
    g = Generator().manual_seed(8)
    state, actions = torch.randn(2, 4, generator=g), torch.randn(2, count, 5, 2, generator=g)
    found = many.predictor_each(together, update)(state, actions)
    for n in range(2):
        single = update.tasks(slice(n, n + 1))
        each = []  # all candidates under each member
        for own, change in zip(members_of(together), single.members, strict=True):  # type: ignore[attr-defined]
            roll = many.member.predictor(SINGLE.materialise(own, change), change.hidden)
            each.append(roll(state[n].expand(count, -1), actions[n]))
        if count < 3:  # fewer candidates than members
            close(found[n], torch.stack(each).mean(dim=0))
        else:
            close(found[n], torch.stack([each[k % 3][k] for k in range(count)]))


def test_a_task_that_is_refused_keeps_the_prior(robot: Robot) -> None:
    rule, many = MeanResidual(), model_of(robot, WHOLE)
    together, support = unstacked([one_network(rule, k) for k in range(3)]), tasks(many)
    update = over(rule, WHOLE).update(WHOLE, together, support)
    kept = update.where(torch.tensor([False, True]))
    outputs = WHOLE.forward_updated(together, kept, support.x).outputs
    close(outputs[0], WHOLE.forward(together, support.x[0]))
    close(outputs[1], WHOLE.forward_updated(together, update, support.x).outputs[1])
    assert not update.changes_nothing and WHOLE.no_update.changes_nothing


def test_the_guard_judges_the_mean_prediction(robot: Robot) -> None:
    rule, many = MeanResidual(gain=1.0), model_of(robot, WHOLE)
    together = unstacked([one_network(rule, k) for k in range(3)])
    seen = window(many, together)  # the mean is off by a constant, each member by more
    report = Guard(rule, together, 16, GuardConfig()).adapt(many, seen).report
    assert report.accepted
    weights = torch.tensor(robot.spec.change_weights)
    shifted = float((SHIFT.square() * weights).sum() / weights.sum())
    assert report.error_before == pytest.approx(shifted, abs=0.02)
    assert report.error_after < 0.01


def test_memories_go_on_member_by_member(robot: Robot) -> None:
    rule, many = make_rule("rebal", {"size": 4}), model_of(robot, WHOLE)
    members = [one_network(rule, k) for k in range(3)]
    together, support = unstacked(members), tasks(many)
    update = over(rule, WHOLE).update(WHOLE, together, support)
    x, y = support.x[:, 0], support.y[:, 0]
    later = imagine(together, update, x, y)
    assert isinstance(update, MemberUpdates) and isinstance(later, MemberUpdates)
    for own, before, after in zip(members, update.members, later.members, strict=True):
        expected = imagine(own, before, x, y).hidden
        assert expected is not None and after.hidden is not None
        close(after.hidden, expected)


class Told(UpdateRule):
    """A rule of one network that is calibrated, and that diagnoses by a network's first bias."""

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        own = LayerUpdate(bias=parameters["b0"][None, None])
        return Update((own, *mlp.no_update.layers[1:]))

    def calibrated(
        self, model: DynamicsModel, parameters: Parameters, x: Tensor, y: Tensor
    ) -> Parameters:
        error = (model.mlp.forward(parameters, x) - y).square().mean()
        return {**parameters, "memory.error": error}

    def beliefs(self, spec: RobotSpec, update: Update) -> Sequence[Beliefs]:
        bias = update.layers[0].bias
        assert bias is not None
        certain = float(bias[0, 0, 0])
        return [{f"cause {certain}": certain}] if certain > 0.5 else []


def test_every_member_is_calibrated_with_its_own_error(robot: Robot) -> None:
    many = model_of(robot, WHOLE)
    members = [SINGLE.init(Generator().manual_seed(k)) for k in range(3)]
    x, y = torch.randn(20, 3), torch.randn(20, 4)
    found = over(Told(), WHOLE).calibrated(many, unstacked(members), x, y)
    for own, calibrated in zip(members, members_of(found), strict=True):
        close(calibrated["memory.error"], (SINGLE.forward(own, x) - y).square().mean())


def test_the_diagnosis_is_that_of_the_most_certain_member(robot: Robot) -> None:
    many, members = model_of(robot, WHOLE), [SINGLE.init(Generator()) for _ in range(3)]
    support = tasks(many)
    rule = over(Told(), WHOLE)
    assert not rule.beliefs(robot.spec, rule.update(WHOLE, unstacked(members), support))
    for own, certain in zip(members, (0.75, 0.875, 0.125), strict=True):
        own["b0"][0] = certain
    found = rule.beliefs(robot.spec, rule.update(WHOLE, unstacked(members), support))
    assert found == [{"cause 0.875": 0.875}]


def test_only_rules_that_change_layers_of_an_ensemble_are_wrapped() -> None:
    residual, mb = make_rule("residual"), make_rule("mb")
    assert over(residual, SINGLE) is residual and over(mb, WHOLE) is mb
    wrapped = over(residual, WHOLE)
    assert isinstance(wrapped, EachMember) and over(wrapped, WHOLE) is wrapped
    grbal = over(make_rule("grbal"), WHOLE)
    assert grbal.meta_trained and isinstance(grbal.training_rule, EachMember)
    with pytest.raises(TypeError, match="expected an ensemble"):
        wrapped.init(SINGLE, {}, Generator())


def test_the_rule_s_own_parameters_are_drawn_for_each_member(robot: Robot) -> None:
    rule = make_rule("context")
    together = WHOLE.init(Generator().manual_seed(0))
    own = over(rule, WHOLE).init(WHOLE, together, Generator().manual_seed(1))
    first, second, _ = members_of(own)
    assert not torch.equal(first["encoder.w0"], second["encoder.w0"])
    assert torch.equal(second["frozen.w1"], members_of(together)[1]["w1"])


def test_support_of_some_tasks_forgets_the_members_passes(robot: Robot) -> None:
    many, together = model_of(robot, WHOLE), WHOLE.init(Generator().manual_seed(0))
    known = knowing_prior(tasks(many), WHOLE, together)
    assert len(known.members) == 3
    assert known.tasks(slice(0, 1)).members == ()
    assert replace(known, members=()).prior is known.prior
