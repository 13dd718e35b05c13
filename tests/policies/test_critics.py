"""Two critics in one product are two networks, and the smaller answer counts."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.critics import TwinCritics


def test_each_critic_is_a_network_of_its_own() -> None:
    generator = Generator().manual_seed(0)
    critics = TwinCritics(MLP((5, 7, 6, 1), "silu"))
    parameters = critics.init(generator)
    seen, actions = torch.randn(9, 3), torch.randn(9, 2)
    both = critics.both(parameters, seen, actions)
    x = torch.cat([seen, actions], dim=1)
    for k in range(2):
        own = {name: value[k] for name, value in parameters.items()}
        torch.testing.assert_close(both[k], critics.mlp.forward(own, x)[:, 0])
    assert not torch.allclose(both[0], both[1])
    assert torch.equal(critics.least(parameters, seen, actions), torch.minimum(*both))


def test_a_critic_has_one_output() -> None:
    with pytest.raises(ValueError, match="one output"):
        TwinCritics(MLP((5, 7, 2)))
