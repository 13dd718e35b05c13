"""STEVE's targets, worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.learning.policies.value_expansion import expanded, unroll, weighed
from ros_mbmrl.policies.imagined_world import ImaginedWorld, Step

TWO_MODELS: Any = SimpleNamespace(count=2)


@dataclass(frozen=True)
class Doubting(ImaginedWorld):
    """Member m adds the action times m + 1. The reward is the action; beyond 5 it terminates."""

    def step(
        self, states: Tensor, actions: Tensor, generator: Generator, members: Tensor | None = None
    ) -> Step:
        factor = 1.0 if members is None else members[:, None] + 1.0
        moved = states + factor * actions
        return Step(moved, actions[:, 0], (moved[:, 0] > 5).float())


WORLD = Doubting(TWO_MODELS, None)  # type: ignore[arg-type]


def act(states: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Answer 1 everywhere, with a bonus of a half."""
    return torch.ones(len(states), 1), torch.full((len(states),), 0.5)


def critics(states: Tensor, actions: Tensor) -> Tensor:
    """Answer the state, and twice the state."""
    return torch.stack([states[:, 0], 2 * states[:, 0]])


def test_estimates_by_every_length_critic_and_member() -> None:
    states, discount = torch.tensor([[1.0], [3.0]]), 0.5
    values = expanded(WORLD, act, critics, states, 2, discount, Generator())
    assert values.shape == (3, 2, 2, 2)
    # h = 0: Q(s) + bonus, whatever the member.
    assert values[0, 0].tolist() == [[1.5, 3.5], [1.5, 3.5]]
    assert values[0, 1].tolist() == [[2.5, 6.5], [2.5, 6.5]]
    # h = 1, critic 1: reward 1 + bonus .5, then half of Q + bonus in 2 and 4, or 3 and 5.
    assert values[1, 0].tolist() == [[1.5 + 1.25, 1.5 + 2.25], [1.5 + 1.75, 1.5 + 2.75]]
    # h = 2, critic 1, member 2: from 1 to 3 to 5; from 3 to 5 to 7, where Q does not matter if it
    # terminated on the way there.
    assert values[2, 0, 1].tolist() == [1.5 + 0.75 + 0.25 * 5.5, 1.5 + 0.75]


def test_lengths_are_weighed_by_their_inverse_variance() -> None:
    # Two lengths, two critics, one member: of the first the variance is 1, of the second 4.
    values = torch.tensor([[[[1.0]], [[3.0]]], [[[6.0]], [[10.0]]]])
    assert float(weighed(values)) == pytest.approx((1.0 * 1.0 + 0.25 * 6.0) / 1.25)


def test_estimates_that_agree_decide() -> None:
    values = torch.tensor([[[[1.0]], [[3.0]]], [[[6.0]], [[6.0]]]])
    assert float(weighed(values)) == pytest.approx(6.0)


def test_without_a_step_it_is_the_target_of_twin_critics() -> None:
    states = torch.tensor([[1.0], [3.0]])
    values = expanded(WORLD, act, critics, states, 0, 0.5, Generator())
    assert weighed(values).tolist() == pytest.approx([1.5, 3.5])


def test_the_gradient_runs_through_the_steps() -> None:
    gain = torch.tensor(2.0, requires_grad=True)

    def gained(states: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        return gain * states, torch.zeros(len(states))

    found = unroll(WORLD, gained, torch.tensor([[0.1]]), 2, 0.5, Generator())
    # r_0 + r_1 / 2 = g s + g (s + g s) / 2, whose derivative is s (3 / 2 + g).
    assert found.earned[:, 0].tolist() == pytest.approx([0.0, 0.2, 0.5])
    (slope,) = torch.autograd.grad(found.earned[-1].sum(), gain)
    assert float(slope) == pytest.approx(0.1 * 3.5)
