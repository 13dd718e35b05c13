"""The contract of a policy, for every kind of policy that there is."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.networks.history import Histories
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.base import Policy
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.radial import RadialPolicy
from ros_mbmrl.policies.squashed import SquashedPolicy
from ros_mbmrl.policies.with_history import HistoryPolicy

INPUTS, ACTIONS = 3, 2
STATISTICS = torch.zeros(INPUTS), torch.ones(INPUTS)
LAYOUT = Histories(INPUTS, ACTIONS, 4)
KINDS: dict[str, Any] = {
    "gaussian": GaussianPolicy(MLP((INPUTS, 4, ACTIONS)), *STATISTICS),
    "radial": RadialPolicy.of(INPUTS, 4, ACTIONS),
    "squashed": SquashedPolicy(MLP((INPUTS, 4, 2 * ACTIONS)), *STATISTICS),
    "history": HistoryPolicy.of(LAYOUT, 5, (4,), "silu"),
}


def initial(name: str) -> tuple[Policy, Parameters]:
    made = KINDS[name]
    return made, made.init(Generator().manual_seed(0))


@pytest.fixture
def seen() -> Tensor:
    return torch.randn(7, INPUTS, generator=Generator().manual_seed(1))


@pytest.mark.parametrize("name", KINDS)
def test_each_observation_has_its_own_actions(name: str, seen: Tensor) -> None:
    policy, parameters = initial(name)
    choice = policy.distribution(parameters, seen, policy.first_memory(7))
    actions = choice.actions
    assert (actions.batch_shape, actions.event_shape) == ((7,), (ACTIONS,))
    alone = policy.distribution(parameters, seen[2:3], policy.first_memory(1)).actions
    value = torch.full((1, ACTIONS), 0.3)
    torch.testing.assert_close(actions.log_prob(value)[2], alone.log_prob(value)[0])


@pytest.mark.parametrize("name", KINDS)
def test_the_memory_is_handed_on_in_the_shape_that_it_was_given(name: str, seen: Tensor) -> None:
    policy, parameters = initial(name)
    first = policy.first_memory(7)
    memory = policy.distribution(parameters, seen, first).memory
    assert (None if memory is None else memory.shape) == (None if first is None else first.shape)
    again = policy.distribution(parameters, seen, memory)
    assert again.actions.batch_shape == (7,)
