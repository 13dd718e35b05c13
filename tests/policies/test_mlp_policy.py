"""What policies share: observations normalised and held, and a normaliser that fits."""

from __future__ import annotations

import pytest
import torch

from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.squashed import SquashedPolicy


@pytest.mark.parametrize("kind", [GaussianPolicy, SquashedPolicy])
def test_observations_are_normalised_and_held(
    kind: type[GaussianPolicy] | type[SquashedPolicy],
) -> None:
    policy = kind(MLP((2, 4)), torch.tensor([1.0, 0.0]), torch.tensor([2.0, 1.0]), clip=3.0)
    seen = torch.tensor([[3.0, -0.5], [100.0, -100.0]])
    assert policy.normalised(seen).tolist() == [[1.0, -0.5], [3.0, -3.0]]
    assert policy.first_memory(5) is None
    with pytest.raises(ValueError, match="std above 0"):
        kind(MLP((2, 4)), torch.zeros(2), torch.tensor([1.0, 0.0]))
