"""Divergence of policies whose parameters are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.guarantees.policy_divergence import (
    behaviour_policy,
    gaussian_of,
    policy_divergence,
)
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.squashed import SquashedPolicy

SEEN = torch.linspace(-2, 2, 500)[:, None]
GAUSSIAN = GaussianPolicy(MLP((1, 1)), torch.zeros(1), torch.ones(1))
SQUASHED = SquashedPolicy(MLP((1, 2)), torch.zeros(1), torch.ones(1))


def of(weight: float, bias: float, std: float) -> dict[str, torch.Tensor]:
    log_std = torch.tensor([math.log(std)])
    return {"w0": torch.tensor([[weight]]), "b0": torch.tensor([bias]), "log_std": log_std}


def test_a_policy_is_not_apart_from_itself() -> None:
    found = policy_divergence(GAUSSIAN, of(0.3, 0.1, 0.5), of(0.3, 0.1, 0.5), SEEN)
    assert found.variation == found.distance == found.divergence == 0.0


def test_by_hand() -> None:
    """Means .2 apart everywhere: KL = .2^2 / (2 .5^2), and Pinsker is the smaller bound."""
    found = policy_divergence(GAUSSIAN, of(0.0, 0.0, 0.5), of(0.0, 0.2, 0.5), SEEN)
    assert found.divergence == pytest.approx(0.08)
    assert found.variation == pytest.approx(math.sqrt(0.08 / 2))
    assert found.distance == pytest.approx(0.2)
    apart = policy_divergence(GAUSSIAN, of(0.0, 0.0, 0.5), of(1.0, 0.0, 0.5), SEEN)
    assert apart.distance == pytest.approx(2.0) and apart.mean_distance == pytest.approx(1.0, 0.01)
    exact = math.erf(2.0 / (2 * math.sqrt(2) * 0.5))
    assert exact <= apart.variation <= 1.0


def test_squashing_changes_no_divergence() -> None:
    both = [{"w0": torch.zeros(1, 2), "b0": torch.tensor([m, math.log(0.5)])} for m in (0.0, 0.2)]
    found = policy_divergence(SQUASHED, both[0], both[1], SEEN)
    assert found.divergence == pytest.approx(0.08, rel=1e-4)


@pytest.mark.parametrize("policy", [GAUSSIAN, SQUASHED])
def test_the_policy_that_gathered_the_data_is_found(policy: GaussianPolicy) -> None:
    generator = Generator().manual_seed(0)
    seen = 4 * torch.rand(4000, 1, generator=generator) - 2
    noise = torch.randn(4000, 1, generator=generator)
    actions = 0.3 * seen + 0.1 + 0.2 * noise
    if isinstance(policy, SquashedPolicy):
        actions = actions.tanh()
    found = behaviour_policy(policy, seen, actions, generator, steps=2500)
    mean, log_std = gaussian_of(policy, found, SEEN)
    assert (mean - (0.3 * SEEN + 0.1)).abs().max() < 0.06
    assert log_std.exp().mean() == pytest.approx(0.2, abs=0.03)


def test_another_kind_is_refused() -> None:
    with pytest.raises(UserError, match="expected a Gaussian policy, got a str"):
        gaussian_of("policy", {}, SEEN)  # type: ignore[arg-type]
