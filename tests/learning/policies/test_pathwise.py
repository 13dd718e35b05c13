"""MAAC's objective: for H = 0 it is soft actor-critic's, and its gradient is the analytic one."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.learning.policies.pathwise import PathwiseActorCritic
from ros_mbmrl.learning.policies.replay import Batch
from ros_mbmrl.learning.policies.soft import SoftActorCritic, SoftConfig
from ros_mbmrl.policies.imagined_world import ImaginedWorld, Step

CONFIG = SoftConfig(hidden=(16,), rows=8, temperature=0.3, discount=0.9)


@dataclass(frozen=True)
class Shifting(ImaginedWorld):
    """Moves the first number by the action; the reward is minus its square."""

    def step(
        self, states: Tensor, actions: Tensor, generator: Generator, members: Tensor | None = None
    ) -> Step:
        moved = states + torch.cat([actions, torch.zeros(len(states), 1)], dim=1)
        return Step(moved, -moved[:, 0].square(), torch.zeros(len(states)))


WORLD = Shifting(None, None)  # type: ignore[arg-type]


def made(kind: type[SoftActorCritic]) -> SoftActorCritic:
    return kind(2, 1, CONFIG, Generator().manual_seed(0))


def batch() -> Batch:
    rows = torch.randn(8, 6, generator=Generator().manual_seed(1))
    parts = rows[:, :2], rows[:, 2:3].tanh(), rows[:, 3], rows[:, 4:], torch.zeros(8)
    return Batch(*parts)


def test_without_steps_it_is_soft_actor_critic() -> None:
    plain, own = made(SoftActorCritic), made(PathwiseActorCritic)
    assert isinstance(own, PathwiseActorCritic)
    own.world = WORLD
    for seed in range(3):
        for each in (plain, own):
            each.update(batch(), Generator().manual_seed(seed))
    for name, value in plain.parameters.items():
        assert torch.equal(value, own.parameters[name])


def test_the_gradient_of_steps_is_that_of_finite_differences() -> None:
    own = made(PathwiseActorCritic)
    assert isinstance(own, PathwiseActorCritic)
    own.world, own.steps, own.samples = WORLD, 2, 3
    states = batch().observations

    def loss() -> Tensor:
        return own._policy_loss(states, Generator().manual_seed(5))[0]

    policy = own._learned["policy"]
    (slope,) = torch.autograd.grad(loss(), [policy["b1"]])
    small = 1e-2
    with torch.no_grad():
        policy["b1"][0] += small
        above = float(loss())
        policy["b1"][0] -= 2 * small
        below = float(loss())
    assert float(slope[0]) == pytest.approx((above - below) / (2 * small), rel=0.02)


def test_samples_make_the_gradient_vary_less() -> None:
    def spread(samples: int) -> float:
        own = made(PathwiseActorCritic)
        assert isinstance(own, PathwiseActorCritic)
        own.world, own.steps, own.samples = WORLD, 2, samples
        policy, states = own._learned["policy"], batch().observations
        slopes = []
        for seed in range(40):
            value = own._policy_loss(states, Generator().manual_seed(seed))[0]
            slopes.append(torch.autograd.grad(value, [policy["b1"]])[0][0])
        return float(torch.stack(slopes).std())

    assert spread(8) < 0.6 * spread(1)
