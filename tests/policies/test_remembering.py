"""Histories of robots while they run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Generator

from ros_mbmrl.networks.history import Histories
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.remembering import Remembering
from ros_mbmrl.policies.with_history import HistoryPolicy

SPEC: Any = SimpleNamespace(action_low=np.array([-2.0]), action_high=np.array([2.0]))
LAYOUT = Histories(1, 1, 2, rewards=True)


def test_it_tells_what_was_really_sent_and_earned() -> None:
    policy = HistoryPolicy.of(LAYOUT, 3, (4,), "silu")
    memory = Remembering(policy, SPEC, 2)
    seen = memory.seen(torch.tensor([[1.0], [2.0]]), lambda sent: np.full(2, np.nan))
    assert torch.equal(seen, LAYOUT.begun(torch.tensor([[1.0], [2.0]])))
    memory.acted(np.array([[2.0], [-1.0]]))  # of a range of 2 either way
    seen = memory.seen(torch.tensor([[3.0], [4.0]]), lambda sent: 10 * sent[:, 0])
    now, past, valid = LAYOUT.parts(seen)
    assert now[:, 0].tolist() == [3.0, 4.0]
    assert past[:, 1].tolist() == [[1.0, 1.0, 20.0], [2.0, -0.5, -10.0]]
    assert valid.tolist() == [[0.0, 1.0], [0.0, 1.0]]


def test_a_policy_without_a_history_is_given_its_observations() -> None:
    policy = GaussianPolicy(MLP((2, 1)), torch.zeros(2), torch.ones(2))
    policy.init(Generator())
    memory = Remembering(policy, SPEC, 3)
    for _ in range(2):
        seen = torch.randn(3, 2)
        assert torch.equal(memory.seen(seen, lambda sent: np.zeros(3)), seen)
        memory.acted(np.zeros((3, 1)))
