"""The evidence lower bound: by hand, and families of tasks that are learned with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import Generator

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.gradient import grbal
from ros_mbmrl.adaptation.l2a import L2A
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.latent.base import Code, Context, Rows, divergence
from ros_mbmrl.dynamics.latent.dropout import DropoutModel
from ros_mbmrl.dynamics.latent.encoders import Encoder, decode, joined
from ros_mbmrl.dynamics.latent.gssm import GSSM
from ros_mbmrl.dynamics.latent.mlsm import MLSM0, MLSM1
from ros_mbmrl.dynamics.latent.model import LatentModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.elbo import (
    Contextual,
    ElboConfig,
    ElboLearner,
    TaskData,
    TaskSampler,
    by_elbo,
    dropout_loss,
    fit_contextual,
    latent_loss,
    negative_log_likelihood,
)
from ros_mbmrl.learning.models.meta import new_model, train_model
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots.point import PointRobot
from ros_mbmrl.robots.spec import Robot

ROBOT = PointRobot("point_elbo", 0.1)
NORMALIZER = Normalizer(torch.zeros(4), torch.ones(4), torch.zeros(2), torch.ones(2))
NETWORK = MLP((4, 32, 32, 2), "relu")
SMALL = {"size": 2, "hidden": 16, "keys": 8}
QUICK = ElboConfig(steps=200, batch=8, context=(1, 10), targets=10, learning_rate=5e-3)
ENCODERS = (GSSM(**SMALL), MLSM0(**SMALL), MLSM1(**SMALL))


def tasks_of(count: int, seed: int, length: int = 30) -> list[TaskData]:
    """Return tasks s' = s + a u, by a number a of each task."""
    g = Generator().manual_seed(seed)
    found = []
    for gain in torch.linspace(-1, 1, count).tolist():
        states, actions = (torch.randn(length, 2, generator=g) for _ in "su")
        found.append(TaskData(states, actions, states + gain * actions))
    return found


def supports() -> tuple[Support, Support]:
    return TaskSampler(ROBOT, NORMALIZER, tasks_of(6, 0), QUICK).draw(
        model_of(ENCODERS[0]), 4, Generator().manual_seed(1)
    )


def model_of(encoder: Encoder) -> LatentModel:
    return LatentModel(ROBOT, encoder, NETWORK, NORMALIZER)


def errors_of(model: Contextual, parameters: Parameters, rows: int) -> float:
    """Return the mean squared error on tasks not trained on, with contexts of `rows` rows."""
    tasks = tasks_of(9, 7)
    states, actions, following = (torch.stack(each) for each in zip(*tasks, strict=True))
    weight = torch.ones(9, rows)
    context = Context(states[:, :rows], actions[:, :rows], following[:, :rows], weight)
    with torch.no_grad():
        known = model.condition(parameters, context)
        found = known.predict(states[:, 20:], actions[:, 20:])
    return float((found.mean - (following - states)[:, 20:]).square().mean())


@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_bound_is_the_likelihood_less_the_divergence(encoder: Encoder) -> None:
    """Eq. 10 with one particle, from its parts."""
    model, (past, future) = model_of(encoder), supports()
    parameters = model.init(Generator().manual_seed(2))
    parameters["noise.b"] = torch.tensor([-1.0, 0.5])
    found = latent_loss(encoder, NETWORK, 1, parameters, past, future, Generator().manual_seed(3))
    context, target = Rows(past.x, past.y, past.weight), Rows(future.x, future.y, future.weight)
    looked = encoder.look(NETWORK, parameters, context)
    q, local = encoder.at(parameters, looked, target.x)
    if encoder.targets:
        both = Rows(*(torch.cat(pair, dim=1) for pair in zip(context, target, strict=True)))
        q = Code(*(part[:, None] for part in encoder.look(NETWORK, parameters, both).code))
    noise = torch.randn(1, *q.mean.shape, generator=Generator().manual_seed(3))[0]
    y = decode(NETWORK, parameters, target.x, joined(q.at(noise), local))
    normal = torch.distributions.Normal(y, (0.5 * parameters["noise.b"]).exp())
    constant = 0.5 * math.log(2 * math.pi)
    fit = (-normal.log_prob(target.y) - constant).sum(dim=-1).mean(dim=1)
    apart = divergence(q, Code(*(part[:, None] for part in looked.code)))
    apart = apart.mean(dim=1) if not encoder.targets else apart[:, 0] / target.y.shape[1]
    torch.testing.assert_close(found, (fit + apart).mean())


def test_particles_are_averaged() -> None:
    encoder, (past, future) = ENCODERS[0], supports()
    parameters = model_of(encoder).init(Generator().manual_seed(2))
    many, again = (
        latent_loss(encoder, NETWORK, 2000, parameters, past, future, Generator().manual_seed(k))
        for k in (3, 4)
    )
    torch.testing.assert_close(many, again, rtol=0.01, atol=0.01)


def test_rows_that_do_not_count_do_not_matter() -> None:
    past, future = supports()
    past.weight[:, 5:] = 0.0
    other = replace(past, y=past.y.clone())
    other.y[:, 5:] = 3.0
    for encoder in ENCODERS:
        parameters = model_of(encoder).init(Generator().manual_seed(2))
        one, two = (
            latent_loss(encoder, NETWORK, 1, parameters, p, future, Generator().manual_seed(3))
            for p in (past, other)
        )
        torch.testing.assert_close(one, two)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_family_is_learned_and_told_apart_by_the_context(encoder: Encoder) -> None:
    model = model_of(encoder)
    parameters = model.init(Generator().manual_seed(2))
    told: list[tuple[str, int]] = []

    def progress(name: str, step: int, steps: int, scalars: Mapping[str, float]) -> None:
        told.append((name, step))

    found = fit_contextual(
        model, parameters, tasks_of(15, 0), QUICK, Generator().manual_seed(3), progress
    )
    assert told == [("model", 100), ("model", 200)]
    without = float(torch.linspace(-1, 1, 9).square().mean())  # of predicting the mean task
    assert errors_of(model, found, 20) < 0.3 * without
    assert errors_of(model, found, 20) < errors_of(model, found, 1)


def test_a_model_without_a_context_learns_the_mean_task_and_its_spread() -> None:
    model = DropoutModel(ROBOT, NETWORK, NORMALIZER)
    parameters = model.init(Generator().manual_seed(2))
    found = fit_contextual(model, parameters, tasks_of(15, 0), QUICK, Generator().manual_seed(3))
    without = float(torch.linspace(-1, 1, 9).square().mean())
    assert errors_of(model, found, 20) == pytest.approx(without, rel=0.3)
    assert found["noise.b"].exp().tolist() == pytest.approx([0.38, 0.38], rel=0.3)


def test_gradient_steps_learn_the_family() -> None:
    model = L2A(ROBOT, NETWORK, NORMALIZER, grbal())
    parameters = model.init(Generator().manual_seed(2))
    found = fit_contextual(model, parameters, tasks_of(15, 0), QUICK, Generator().manual_seed(3))
    assert errors_of(model, found, 20) < 0.3 * float(torch.linspace(-1, 1, 9).square().mean())


def test_a_fit_can_go_on_with_more_tasks() -> None:
    model, g = model_of(ENCODERS[1]), Generator().manual_seed(2)
    first = fit_contextual(model, model.init(g), tasks_of(3, 0), replace(QUICK, steps=5), g)
    second = fit_contextual(model, first, tasks_of(5, 0), replace(QUICK, steps=5), g)
    assert first.keys() == second.keys()
    assert all(not torch.equal(first[name], second[name]) for name in ("w0", "encoder.w0"))


def test_dropout_draws_masks_for_each_row() -> None:
    model, (past, future) = DropoutModel(ROBOT, NETWORK, NORMALIZER, 0.5), supports()
    parameters = model.init(Generator().manual_seed(2))
    found = dropout_loss(model, parameters, past, future, Generator().manual_seed(3))
    masks = model.masks(future.x.shape[:2], Generator().manual_seed(3))
    outputs = model.forward(parameters, future.x, masks)
    torch.testing.assert_close(found, negative_log_likelihood(parameters, outputs, future).mean())


def test_contexts_and_targets_are_different_rows_of_one_task() -> None:
    sampler = TaskSampler(ROBOT, NORMALIZER, tasks_of(4, 0), QUICK)
    past, future = sampler.draw(model_of(ENCODERS[0]), 8, Generator().manual_seed(1))
    assert past.x.shape == (8, 10, 4) and future.x.shape == (8, 10, 4)
    counts = past.weight.sum(dim=(1, 2))
    assert (counts >= 1).all() and (counts <= 10).all() and counts.unique().numel() > 1
    for k in range(8):
        both = torch.cat([past.x[k], future.x[k]])
        assert len(both.unique(dim=0)) == 20
        actions, changes = both[:, 2:], torch.cat([past.y[k], future.y[k]])
        gain = (changes / actions).flatten()
        torch.testing.assert_close(gain, gain[:1].expand_as(gain), rtol=1e-3, atol=1e-3)


def test_tasks_of_few_rows_give_some_again() -> None:
    sampler = TaskSampler(ROBOT, NORMALIZER, tasks_of(2, 0, length=3), QUICK)
    past, _ = sampler.draw(model_of(ENCODERS[0]), 2, Generator().manual_seed(1))
    assert all(len(each.unique(dim=0)) == 3 for each in past.x)


@pytest.mark.parametrize("tasks", [[], tasks_of(2, 0, length=1)])
def test_too_few_transitions_are_refused(tasks: list[TaskData]) -> None:
    with pytest.raises(UserError, match="tasks: expected at least one, of at least 2 transitions"):
        TaskSampler(ROBOT, NORMALIZER, tasks, QUICK)


@pytest.mark.parametrize(
    "wrong",
    [{"steps": 0}, {"context": (0, 5)}, {"context": (6, 5)}, {"learning_rate": 0.0}, {"noise": -1}],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ElboConfig(**wrong)


def test_a_restored_learner_goes_on_as_if_it_had_not_stopped() -> None:
    store = TaskSampler(ROBOT, NORMALIZER, tasks_of(4, 0), QUICK)
    model = model_of(ENCODERS[0])
    start = model.init(Generator().manual_seed(2))

    def begun() -> ElboLearner:
        def loss(*given: object) -> torch.Tensor:
            return latent_loss(model.encoder, NETWORK, 1, *given)

        return ElboLearner(model, loss, start, QUICK)

    learner, g = begun(), Generator().manual_seed(3)
    for _ in range(3):
        learner.update(store, g)
    state, kept = g.get_state(), {k: v.clone() for k, v in learner.snapshot().items()}
    expected = learner.update(store, g)
    other = begun()
    other.restore(kept)
    assert other.update(store, Generator().set_state(state)) == expected


def test_a_rule_in_the_loop_is_trained_after_the_supervised_fit(
    rollouts: list[Rollout], robot: Robot
) -> None:
    data = Transitions.of(robot, rollouts)
    config = TrainConfig(
        method="gssm",
        hidden=(16,),
        adapt_windows=(8,),
        predict_window=8,
        horizon=4,
        supervised_steps=40,
        meta_steps=40,
        batch=8,
        validate_every=20,
    )
    phases: list[str] = []

    def progress(name: str, step: int, steps: int, scalars: Mapping[str, float]) -> None:
        phases.append(name)

    trained = train_model(new_model(data, config, robot), config, data, data, progress)
    assert phases == ["supervised"] * 2 + ["gssm"] * 2
    assert trained.parameters["condition.b0"].any()
    assert trained.parameters["noise.b"].any()


def test_the_learner_of_a_rule_is_that_of_its_encoder(
    rollouts: list[Rollout], robot: Robot
) -> None:
    data = Transitions.of(robot, rollouts)
    config = TrainConfig(method="mlsm_v1", hidden=(16,), batch=4)
    model = new_model(data, config, robot)
    rule = make_rule("mlsm_v1", {"particles": 3})
    g = Generator().manual_seed(0)
    own = model.mlp.init(g)
    learner = by_elbo(rule, model, own | rule.init(model.mlp, own, g), config)
    assert isinstance(learner, ElboLearner)
