"""The squashed Gaussian policy against torch's own distributions."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.base import Policy
from ros_mbmrl.policies.squashed import SquashedPolicy

POLICY = SquashedPolicy(MLP((3, 8, 4), "silu"), torch.tensor([1.0, 0, -1]), torch.ones(3))
PARAMETERS = POLICY.init(Generator().manual_seed(0))
SEEN = torch.randn(50, 3, generator=Generator().manual_seed(1))


def test_it_is_a_policy() -> None:
    policy: Policy = POLICY
    assert policy.first_memory(3) is None


def test_the_log_probability_of_what_is_drawn_is_that_of_the_distribution() -> None:
    noise = torch.randn(50, 2, generator=Generator().manual_seed(2))
    drawn = POLICY.sample(PARAMETERS, SEEN, noise)
    assert drawn.actions.abs().max() < 1
    told = POLICY.distribution(PARAMETERS, SEEN).actions.log_prob(drawn.actions)
    torch.testing.assert_close(drawn.log_prob, told, rtol=1e-3, atol=1e-3)


def test_far_out_it_stays_finite() -> None:
    pushed = {**PARAMETERS, "b1": torch.tensor([60.0, -60.0, 5.0, -50.0])}
    drawn = POLICY.sample(pushed, SEEN, torch.ones(50, 2))
    assert drawn.log_prob.isfinite().all()
    assert drawn.actions.abs().max() <= 1


def test_without_noise_it_takes_the_squashed_mean() -> None:
    mean, _ = POLICY.moments(PARAMETERS, SEEN)
    assert torch.equal(POLICY.means(PARAMETERS, SEEN), mean.tanh())
    still = POLICY.sample(PARAMETERS, SEEN, torch.zeros(50, 2)).actions
    assert torch.equal(still, mean.tanh())


def test_an_odd_number_of_outputs_is_refused() -> None:
    with pytest.raises(ValueError, match="even number of outputs"):
        SquashedPolicy(MLP((3, 8, 3)), torch.zeros(3), torch.ones(3))
