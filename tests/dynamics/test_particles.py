"""Particles of an ensemble: which member moves them in which step, and the noise they get."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.dynamics.particles import OwnNoise, orders
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.ensemble import Ensemble, members_of, whole
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.robots.spec import Robot

Made = tuple[DynamicsModel, Parameters]
STEPS = 5


@pytest.fixture
def made(robot: Robot) -> Made:
    """Three members with heads, of the toy."""
    g = Generator().manual_seed(0)
    mlp = Ensemble((3, 8, 6, 4), "silu", members=3, head="gaussian")
    statistics = (0.5 + torch.rand(n, generator=g) for n in (3, 3, 4, 4))
    return DynamicsModel(robot, mlp, Normalizer(*statistics)), mlp.init(g)


def problem(count: int) -> tuple[Tensor, Tensor]:
    g = Generator().manual_seed(1)
    return torch.randn(count, 4, generator=g), torch.randn(count, STEPS, 2, generator=g)


def one_step(made: Made, member: int, state: Tensor, action: Tensor) -> Tensor:
    model, parameters = made
    predict = model.member.predictor(members_of(parameters)[member])
    return predict(state[None], action[None, None])[0, -1]


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("count", [3, 7])
def test_ts1_moves_candidate_k_by_the_member_that_the_step_s_order_gives_it(
    made: Made, count: int
) -> None:
    model, parameters = made
    state, actions = problem(count)
    found = model.predictor(parameters).propagated("ts1", None)(state, actions)  # type: ignore[attr-defined]
    for k in range(count):
        now = state[k]
        for h in range(STEPS):
            member = orders(3, h)[0].index(k % 3)
            now = one_step(made, member, now, actions[k, h])
            close(found[k, h + 1], now)


def test_ts1_gives_every_candidate_another_member_now_and_then() -> None:
    members = [{orders(5, h)[0].index(k) for h in range(20)} for k in range(5)]
    assert all(found == set(range(5)) for found in members)
    assert orders(5, None)[0] == [0, 1, 2, 3, 4]
    order, back = orders(5, 3)
    assert [order[k] for k in back] == [0, 1, 2, 3, 4]


def test_mean_moves_every_candidate_by_the_mean_of_all(made: Made) -> None:
    model, parameters = made
    state, actions = problem(4)
    predict = model.predictor(parameters).propagated("mean", None)  # type: ignore[attr-defined]
    assert predict.members == 1
    found = predict(state, actions)
    for k in range(4):
        now = state[k]
        for h in range(STEPS):
            now = torch.stack([one_step(made, m, now, actions[k, h]) for m in range(3)]).mean(0)
            # The mean of next states is that of the changes only as far as headings agree.
            features = model.robot.features(found[k, h])
            change = model.predict(parameters, features, actions[k, h])
            close(found[k, h + 1], model.robot.advance(found[k, h], change))
            now = found[k, h + 1]


@pytest.mark.parametrize("particles", ["ts1", "mean"])
@pytest.mark.parametrize("count", [2, 7])
def test_many_robots_are_propagated_as_one_each(made: Made, particles: str, count: int) -> None:
    model, parameters = made
    g = Generator().manual_seed(2)
    state, actions = torch.randn(2, 4, generator=g), torch.randn(2, count, STEPS, 2, generator=g)
    predict: Any = model.predictor_each(parameters, model.mlp.no_update)
    found = predict.propagated(particles, None)(state, actions)
    alone: Any = model.predictor(parameters)
    if particles == "ts1" and count > 2:
        for n in range(2):
            each = alone.propagated(particles, None)(state[n].expand(count, -1), actions[n])
            close(found[n], each)
    assert found.shape == (2, count, STEPS + 1, 4)
    assert found.isfinite().all()


def test_common_noise_is_the_same_for_all_candidates_and_has_the_predicted_size(
    made: Made,
) -> None:
    model, parameters = made
    for k in range(3):  # the same network three times, so that candidates differ by nothing
        parameters |= {f"member.{k}.{n}": v for n, v in members_of(parameters)[0].items()}
    state, actions = torch.zeros(6, 4), torch.zeros(6, 1, 2)
    plain: Any = model.predictor(parameters)
    still = plain(state, actions)[:, 1]
    draws = []
    for seed in range(300):
        moved = plain.propagated("ts_inf", Generator().manual_seed(seed))
        found = moved(state, actions)[:, 1]
        assert torch.equal(found, moved(state, actions)[:, 1])  # a second block has the same
        torch.testing.assert_close(found, found[:1].expand_as(found))
        draws.append(model.robot.difference(still[0], found[0]))
    # b = 0 within its bounds is a log variance of -.4741.
    expected = torch.tensor(-0.4741).div(2).exp() * model.normalizer.change_std
    torch.testing.assert_close(torch.stack(draws).std(dim=0), expected, rtol=0.15, atol=0.0)


def test_own_noise_is_each_particle_s(made: Made) -> None:
    model, parameters = made
    noisy = model.particles(parameters, OwnNoise(Generator().manual_seed(0)))
    found = noisy(torch.zeros(6, 4), torch.zeros(6, STEPS, 2))[:, -1]
    assert len(found.unique(dim=0)) == 6
    with pytest.raises(ValueError, match="expected an ensemble with Gaussian heads"):
        model.member.particles(parameters, OwnNoise(Generator()))


def test_what_a_model_cannot_do_is_refused(made: Made, robot: Robot) -> None:
    model, parameters = made
    plain = DynamicsModel(robot, Ensemble((3, 8, 6, 4), "silu", members=3), model.normalizer)
    predict: Any = plain.predictor(parameters)
    with pytest.raises(UserError, match="sample: expected a model with Gaussian heads"):
        predict.propagated("ts1", Generator())
    each: Any = plain.predictor_each(parameters, plain.mlp.no_update)
    with pytest.raises(UserError, match="sample: expected false where robots are planned for"):
        each.propagated("ts1", Generator())


def test_elites_alone_imagine(made: Made) -> None:
    model, parameters = made
    chosen = Ensemble((3, 8, 6, 4), "silu", members=3, head="gaussian", elites=(0, 2))
    few = DynamicsModel(model.robot, chosen, model.normalizer)
    state, actions = problem(4)
    predict: Any = few.predictor(parameters)
    assert (predict.members, whole(chosen)) == (2, model.mlp)
    found = predict(state, actions)
    for k in range(4):
        roll = model.member.predictor(members_of(parameters)[(0, 2)[k % 2]])
        close(found[k], roll(state[k : k + 1], actions[k : k + 1])[0])
    features = model.robot.features(state)
    each = [model.member.predict(p, features, actions[:, 0]) for p in members_of(parameters)]
    close(few.predict(parameters, features, actions[:, 0]), (each[0] + each[2]) / 2)
    updated = few.outputs(parameters, chosen.no_update, state[:, None], actions[:, :1])
    close(few.normalizer.denormalise(updated)[:, 0], (each[0] + each[2]) / 2)
    with pytest.raises(ValueError, match="elites: expected some of 0 to 2 in order"):
        Ensemble((3, 8, 6, 4), members=3, elites=(2, 0))


def test_moments_are_the_law_of_total_variance(made: Made) -> None:
    model, parameters = made
    state, actions = problem(4)
    found = model.moments(parameters, model.mlp.no_update, state[:, None], actions[:, :1])
    features = model.robot.features(state)
    each = torch.stack(
        [model.member.predict(p, features, actions[:, 0]) for p in members_of(parameters)]
    )
    close(found.mean[:, 0], each.mean(0))
    assert found.disagreement is not None and found.aleatoric is not None
    close(found.disagreement[:, 0], (each - each.mean(0)).square().mean(0))
    expected = torch.tensor(-0.4741).exp() * model.normalizer.change_std.square()
    torch.testing.assert_close(found.aleatoric[0, 0], expected, rtol=1e-3, atol=0)
    assert found.variance is not None
    close(found.variance, found.disagreement + found.aleatoric)
    one = model.member.moments(
        members_of(parameters)[0], model.member.mlp.no_update, state[:, None], actions[:, :1]
    )
    assert one.disagreement is None and one.variance is None
    close(one.mean[:, 0], each[0])
