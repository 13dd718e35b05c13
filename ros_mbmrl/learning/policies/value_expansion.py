"""Stochastic ensemble value expansion (Buckman et al. 2018, STEVE), in its soft form.

A value of a state is r_0 + gamma r_1 + ... + gamma^h Q(s_h, a_h) for any h that a model looks
ahead. Each h has as many such estimates as there are models and critics; those of an h on which
they agree count more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ros_mbmrl.policies.imagined_world import ImaginedWorld

# states (N, ds), generator -> actions (N, da), and their bonus -alpha log pi (N,)
SoftAct = Callable[[Tensor, Generator], tuple[Tensor, Tensor]]
# states (N, ds), actions (N, da) -> answers of C critics (C, N)
Critics = Callable[[Tensor, Tensor], Tensor]
SMALLEST = 1e-8  # variance of estimates that agree


class Unrolled(NamedTuple):
    """H imagined control periods of N rows, and what is known before each period and at the end.

    earned: (H+1, N), the discounted sum of rewards and bonuses so far. weight: (H+1, N), gamma^h,
    or 0 where the episode is over. states: (H+1, N, ds). actions: (H+1, N, da), the last of which
    are chosen but not taken. bonus: (H+1, N), of these actions.
    """

    earned: Tensor
    weight: Tensor
    states: Tensor
    actions: Tensor
    bonus: Tensor


def unroll(
    world: ImaginedWorld,
    act: SoftAct,
    states: Tensor,
    steps: int,
    discount: float,
    generator: Generator,
    members: Tensor | None = None,
) -> Unrolled:
    """Roll a policy out; the gradient runs through policy, model and reward.

    Args:
        world: moves the rows.
        act: the policy.
        states: to begin with (N, ds).
        steps: H, at least 0.
        discount: gamma.
        generator: of all draws.
        members: of the rows (N,), kept all along; None: drawn as the world's scheme says.
    """
    earned, weight = torch.zeros(len(states)), torch.ones(len(states))
    told = []
    for h in range(steps + 1):
        actions, bonus = act(states, generator)
        told.append((earned, weight, states, actions, bonus))
        if h < steps:
            step = world.step(states, actions, generator, members)
            earned = earned + weight * (step.rewards + bonus)
            weight = weight * discount * (1.0 - step.terminated)
            states = step.states
    return Unrolled(*(torch.stack(part) for part in zip(*told, strict=True)))


@torch.no_grad()
def expanded(
    world: ImaginedWorld,
    act: SoftAct,
    critics: Critics,
    states: Tensor,
    steps: int,
    discount: float,
    generator: Generator,
) -> Tensor:
    """Return the values of states (B, ds) by every length, critic and member: (H+1, C, E, B)."""
    count = world.imagination.count
    members = torch.arange(count).repeat_interleave(len(states))
    rows = states.repeat(count, 1)
    found = unroll(world, act, rows, steps, discount, generator, members)
    answers = critics(found.states.flatten(0, 1), found.actions.flatten(0, 1))
    last = answers.view(len(answers), steps + 1, -1).transpose(0, 1)  # (H+1, C, E B)
    values = found.earned[:, None] + found.weight[:, None] * (last + found.bonus[:, None])
    return values.view(*values.shape[:2], count, -1)


def weighed(values: Tensor) -> Tensor:
    """Return one value (B,) of the values (H+1, C, E, B) that `expanded` returns.

    Lengths h are weighed by the inverse variance of their C E estimates. What is weighed is the
    least critic's estimate, the mean over the members: as pessimistic as the plain target of
    twin critics, which it is for H = 0.
    """
    variance = values.flatten(1, 2).var(dim=1, correction=0)  # (H+1, B)
    weights = 1.0 / (variance + SMALLEST)
    mean = values.amin(dim=1).mean(dim=1)
    return (weights * mean).sum(dim=0) / weights.sum(dim=0)
