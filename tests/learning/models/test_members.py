"""Meta-training an ensemble: each member as one network, and an interrupted fit goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.guard import Guard, GuardConfig
from ros_mbmrl.adaptation.members import over
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.learner import by_meta_gradient
from ros_mbmrl.learning.models.members import MemberLearners
from ros_mbmrl.learning.models.meta import new_model, train_model
from ros_mbmrl.learning.models.warm_start import carried
from ros_mbmrl.learning.open_loop import open_loop_errors
from ros_mbmrl.learning.run import LEARNED
from ros_mbmrl.learning.segments import SegmentSampler, Transitions
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.ensemble import members_of
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.robots.spec import Robot

RULES = {"grbal": {"steps": 2}, "rebal": {"size": 4}, "context": {"hidden": 8, "size": 4}}


def config_of(method: str, **other: object) -> TrainConfig:
    base = {
        "method": method,
        "options": RULES.get(method, {}),
        "hidden": (16,),
        "adapt_windows": (4, 6),
        "predict_window": 4,
        "supervised_steps": 100,
        "meta_steps": 40,
        "validate_every": 20,
        "batch": 16,
        "horizon": 3,
        "members": 2,
        "rows": 64,
        "learning_rate": 3e-3,
    }
    return TrainConfig(**{**base, **other})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def data(robot: Robot, make_rollouts: Callable[..., list[Rollout]]) -> Transitions:
    return Transitions.of(robot, make_rollouts(6))


def start_of(model: DynamicsModel, method: str) -> Parameters:
    g = Generator().manual_seed(0)
    parameters = model.mlp.init(g)
    rule = over(make_rule(method, RULES[method]), model.mlp)
    return parameters | rule.init(model.mlp, parameters, g)


def learned(tensors: dict[str, Tensor]) -> Parameters:
    return tensor_file.unflatten(LEARNED, tensors)


@pytest.mark.parametrize("method", RULES)
def test_each_member_takes_the_steps_of_one_network(
    robot: Robot, data: Transitions, method: str
) -> None:
    config = config_of(method)
    model, rule = new_model(data, config, robot), make_rule(method, RULES[method])
    store, start = SegmentSampler(data, (4, 6), 4), start_of(model, method)
    together = MemberLearners(by_meta_gradient, rule, model, start, config)
    drawing = Generator().manual_seed(3)
    scalars = [together.update(store, drawing) for _ in range(2)]
    # The same by hand: the members' segments, then their batches in turn.
    boot, drawing = Generator().manual_seed(config.seed), Generator().manual_seed(3)
    stores = [store.bootstrapped(boot) for _ in range(2)]
    alone = [by_meta_gradient(rule, model.member, own, config) for own in members_of(start)]
    for found in scalars:
        losses = [
            learner.update(own, drawing)["loss"] for learner, own in zip(alone, stores, strict=True)
        ]
        assert found["loss"] == pytest.approx(sum(losses) / 2)
    for own, learner in zip(members_of(learned(together.snapshot())), alone, strict=True):
        expected = learned(learner.snapshot())
        assert own.keys() == expected.keys()
        assert all(torch.equal(own[name], value) for name, value in expected.items())


def test_a_learner_that_is_resumed_goes_on_bit_for_bit(robot: Robot, data: Transitions) -> None:
    config = config_of("grbal")
    model, rule = new_model(data, config, robot), make_rule("grbal", RULES["grbal"])
    store, start = SegmentSampler(data, (4, 6), 4), start_of(model, "grbal")

    def make() -> MemberLearners:
        return MemberLearners(by_meta_gradient, rule, model, start, config)

    whole, drawing = make(), Generator().manual_seed(1)
    for _ in range(4):
        whole.update(store, drawing)
    first, drawing = make(), Generator().manual_seed(1)
    for _ in range(2):
        first.update(store, drawing)
    second = make()
    second.restore(first.snapshot())
    for _ in range(2):
        second.update(store, drawing)
    expected, found = whole.snapshot(), second.snapshot()
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_an_interrupted_training_gives_what_an_uninterrupted_one_gives(
    robot: Robot, data: Transitions, tmp_path: Path
) -> None:
    config = config_of("grbal")
    model, whole = new_model(data, config, robot), tmp_path / "whole"
    expected = train_model(model, config, data, data, checkpoint=whole)

    def stop(phase: str, step: int, *_: object) -> None:
        if (phase, step) == ("meta", 20):
            raise KeyboardInterrupt

    broken = tmp_path / "broken"
    with pytest.raises(KeyboardInterrupt):
        train_model(model, config, data, data, stop, broken)
    found = train_model(model, config, data, data, checkpoint=broken)
    assert found.scores == expected.scores
    assert found.parameters.keys() == expected.parameters.keys()
    for name, value in expected.parameters.items():
        assert torch.equal(found.parameters[name], value), name


@pytest.mark.parametrize("method", RULES)
def test_meta_training_lowers_the_adapted_error_and_members_differ(
    robot: Robot, data: Transitions, method: str
) -> None:
    config = config_of(method, meta_steps=150, validate_every=50)
    trained = train_model(new_model(data, config, robot), config, data, data)
    assert trained.scores["open_loop_after"] < 0.9 * trained.scores["open_loop_before"]
    first, second = members_of(trained.parameters)
    own = next(name for name in first if "." in name)
    assert own in second and not torch.equal(first[own], second[own])


@pytest.mark.parametrize("method", RULES)
def test_what_is_carried_to_other_statistics_predicts_the_same(
    robot: Robot, data: Transitions, make_rollouts: Callable[..., list[Rollout]], method: str
) -> None:
    config = config_of(method)
    before, more = new_model(data, config, robot), Transitions.of(robot, make_rollouts(4, seed=9))
    now, start = new_model(more, config, robot), start_of(before, method)
    moved = carried(start, before, now)
    actions, features = data.actions[:50], data.features[:50]
    torch.testing.assert_close(
        now.predict(moved, features, actions),
        before.predict(start, features, actions),
        rtol=1e-3,
        atol=1e-4,
    )
    # And a fit goes on from there, the rule's own parameters included.
    trained = train_model(now, config_of(method, supervised_steps=0), more, more, parameters=moved)
    assert trained.parameters.keys() == start.keys()


def test_a_plain_rule_is_judged_on_the_whole_ensemble(robot: Robot, data: Transitions) -> None:
    """MB+DE is not trained: its ensemble is that of MB, and the update lowers its error."""
    config = config_of("mb_de", supervised_steps=300, options={"bias_step": 0.5})
    trained = train_model(new_model(data, config, robot), config, data, data)
    guard = Guard(trained.rule, trained.parameters, 6, GuardConfig())
    found = open_loop_errors(trained.model, guard, data, 3, stride=5).normalised
    before, after = found.mean(dim=(1, 2))
    assert float(after) < 0.95 * float(before)
