"""Parameters carried over to other statistics predict what they predicted."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.guard import support_of
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.meta import new_model, train_model
from ros_mbmrl.learning.models.warm_start import carried, with_causes
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.networks.recurrent import predict_segment
from ros_mbmrl.robots.conditioned import ConditionedRobot
from ros_mbmrl.robots.quantities import Cause
from ros_mbmrl.robots.spec import Robot

Make = Callable[..., list[Rollout]]


def moved_on(model: DynamicsModel) -> DynamicsModel:
    old = model.normalizer
    statistics = {
        "input_mean": old.input_mean + 0.1,
        "input_std": 1.7 * old.input_std,
        "change_mean": old.change_mean - 0.02,
        "change_std": torch.linspace(0.8, 1.3, len(old.change_std)) * old.change_std,
    }
    return replace(model, normalizer=replace(old, **statistics, clip=100.0))


def adapted(
    model: DynamicsModel, parameters: Parameters, method: str, raw: tuple[Tensor, ...]
) -> Tensor:
    """Changes in SI units over the rows after the first half, which is adapted to."""
    both = support_of(model, *raw)
    cut = both.x.shape[1] // 2
    past = Support(both.x[:, :cut], both.y[:, :cut], both.weight[:, :cut], both.scale)
    update = make_rule(method).update(model.mlp, parameters, past)
    outputs = predict_segment(model.mlp, parameters, update, both.x[:, cut:])
    return model.normalizer.denormalise(outputs)


@pytest.mark.parametrize(
    "method",
    [
        *("mb", "context", "bayes_context", "leaky_context", "rebal"),
        *("gssm", "mlsm_v0", "mlsm_v1"),
    ],
)
def test_predictions_stay(
    prior: tuple[DynamicsModel, Parameters], rollouts: list[Rollout], method: str
) -> None:
    before = replace(prior[0], normalizer=replace(prior[0].normalizer, clip=100.0))
    now, generator = moved_on(before), Generator().manual_seed(0)
    parameters = prior[1] | make_rule(method).init(before.mlp, prior[1], generator)
    parameters = {
        name: value + 0.1 * torch.randn(value.shape, generator=generator)
        for name, value in parameters.items()
    }
    data = Transitions.of(before.robot, rollouts)
    rows = data.starts(8)[::20][:, None] + torch.arange(8)
    raw = data.features[rows], data.actions[rows], data.changes[rows]
    kept = carried(parameters, before, now)
    expected = adapted(before, parameters, method, raw)
    torch.testing.assert_close(adapted(now, kept, method, raw), expected, rtol=1e-3, atol=1e-5)
    assert not torch.allclose(adapted(now, parameters, method, raw), expected, rtol=0.01)


@pytest.mark.parametrize("prefix", ["member.0.", "member.11.", "member.0.frozen."])
def test_a_member_of_an_ensemble_is_carried_as_a_plain_network_is(
    prior: tuple[DynamicsModel, Parameters], rollouts: list[Rollout], prefix: str
) -> None:
    before = replace(prior[0], normalizer=replace(prior[0].normalizer, clip=100.0))
    now, data = moved_on(before), Transitions.of(before.robot, rollouts)
    both = {**prior[1], **{prefix + name: 2 * value for name, value in prior[1].items()}}
    kept = carried(both, before, now)
    own = {name: kept[prefix + name] for name in prior[1]}
    doubled = {name: 2 * value for name, value in prior[1].items()}
    alone = carried(doubled, before, now)
    assert all(torch.equal(own[name], alone[name]) for name in alone)
    expected = before.predict(doubled, data.features, data.actions)
    found = now.predict(own, data.features, data.actions)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
    assert not torch.allclose(
        now.predict(doubled, data.features, data.actions), expected, rtol=0.01
    )


def test_an_unknown_group_is_refused_by_name(prior: tuple[DynamicsModel, Parameters]) -> None:
    with pytest.raises(ValueError, match=r"'colour\.w0' belongs to no group"):
        carried({**prior[1], "colour.w0": torch.ones(2)}, prior[0], prior[0])


def test_a_second_fit_begins_where_the_first_ended(robot: Robot, make_rollouts: Make) -> None:
    """Algorithm 9 twice, the second time with more data and other statistics."""
    config = TrainConfig(
        method="grbal",
        hidden=(16, 16),
        activation="tanh",
        adapt_windows=(8,),
        predict_window=6,
        supervised_steps=150,
        meta_steps=60,
        batch=16,
        validate_every=30,
        learning_rate=5e-3,
        horizon=3,
    )
    rollouts = make_rollouts(40, seed=1)
    validation = Transitions.of(robot, make_rollouts(12, seed=2))
    fits = []
    for config_, found in (
        (config, rollouts[:10]),
        (replace(config, supervised_steps=0), rollouts),
    ):
        data = Transitions.of(robot, found)
        model = new_model(data, config_, robot)
        start = carried(fits[-1].parameters, fits[-1].model, model) if fits else None
        fits.append(train_model(model, config_, data, validation, parameters=start))
    torch.testing.assert_close(fits[1].model.normalizer.change_std, data.normalizer().change_std)
    cold = train_model(model, replace(config, supervised_steps=1), data, validation)
    assert fits[1].scores["open_loop_after"] < cold.scores["open_loop_after"]


@pytest.mark.parametrize("prefix", ["", "member.1."])
def test_inputs_for_causes_change_no_prediction(
    prior: tuple[DynamicsModel, Parameters], rollouts: list[Rollout], robot: Robot, prefix: str
) -> None:
    robot = copy(robot)
    robot.spec = replace(robot.spec, causes=(Cause("push", "N", -2.0, 2.0, 0.5, (1.0,)),))
    own = {**{prefix + name: part for name, part in prior[1].items()}, "psi.w0": torch.ones(1)}
    found, model = with_causes(own, prior[0], ConditionedRobot(robot))
    data = Transitions.of(robot, rollouts)
    features = torch.cat([data.features, torch.randn(len(data), 1)], dim=1)
    plain = {name.removeprefix(prefix): part for name, part in found.items()}
    torch.testing.assert_close(
        model.predict(plain, features, data.actions),
        prior[0].predict(prior[1], data.features, data.actions),
    )
    assert model.mlp.sizes == (4, 16, 16, 4) and "psi.w0" not in found
    assert float(model.normalizer.input_mean[1]) == 0.5
    assert with_causes(found, model, ConditionedRobot(robot)) == (found, model)
    assert with_causes(own, prior[0], robot) == (own, prior[0])
