"""The Gaussian policy against torch's own distributions."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.base import Policy
from ros_mbmrl.policies.gaussian import GaussianPolicy, for_tasks

POLICY = GaussianPolicy(MLP((3, 8, 2)), torch.tensor([1.0, 0.0, -1.0]), torch.tensor([2.0, 1, 1]))


def parameters(seed: int) -> Parameters:
    generator = torch.Generator().manual_seed(seed)
    made = POLICY.init(generator)
    return {name: torch.randn(value.shape, generator=generator) for name, value in made.items()}


def reference(chosen: Parameters, seen: torch.Tensor) -> Independent:
    normal = Normal(POLICY.means(chosen, seen), chosen["log_std"].exp().expand(len(seen), 2))
    return Independent(normal, 1)


def test_log_probability_and_divergence_are_those_of_a_diagonal_gaussian() -> None:
    a, b, seen, actions = parameters(0), parameters(1), torch.randn(5, 3), torch.randn(5, 2)
    expected = reference(a, seen).log_prob(actions)
    torch.testing.assert_close(POLICY.log_prob(a, seen, actions), expected)
    expected = kl_divergence(reference(a, seen), reference(b, seen))
    torch.testing.assert_close(POLICY.divergence(a, b, seen), expected)
    assert POLICY.divergence(a, a, seen).abs().max() < 1e-6


def test_observations_are_normalised_and_clipped() -> None:
    made = parameters(0)
    same = torch.tensor([[3.0, 1.0, 0.0]]), torch.tensor([[1.0 + 2e6, 1e6, 1e6]])
    inside = GaussianPolicy(POLICY.mlp, torch.zeros(3), torch.ones(3), clip=1.0)
    clipped = GaussianPolicy(POLICY.mlp, POLICY.mean, POLICY.std, clip=1.0)
    for seen in same:
        torch.testing.assert_close(clipped.means(made, seen), inside.means(made, torch.ones(1, 3)))


def test_samples_have_the_mean_and_deviation() -> None:
    made = parameters(2)
    seen, noise = torch.randn(1, 3).expand(20_000, 3), torch.randn(20_000, 2)
    actions = POLICY.sample(made, seen, noise)
    torch.testing.assert_close(actions.std(0), made["log_std"].exp(), rtol=0.05, atol=0.0)
    error = (actions.mean(0) - POLICY.means(made, seen[:1])[0]) / made["log_std"].exp()
    assert error.abs().max() < 0.03


def test_each_task_has_parameters_of_its_own() -> None:
    ones = [parameters(seed) for seed in range(3)]
    several = {name: torch.stack([one[name] for one in ones]) for name in ones[0]}
    seen, actions = torch.randn(3, 4, 3), torch.randn(3, 4, 2)
    together = POLICY.log_prob(several, seen, actions)
    apart = [POLICY.log_prob(*each) for each in zip(ones, seen, actions, strict=True)]
    torch.testing.assert_close(together, torch.stack(apart))
    shared = POLICY.log_prob(for_tasks(ones[0], 3), seen, actions)
    torch.testing.assert_close(shared, POLICY.log_prob(ones[0], seen, actions))


def test_wrong_statistics_are_refused() -> None:
    for mean, std in ((torch.zeros(2), torch.ones(2)), (torch.zeros(3), torch.zeros(3))):
        with pytest.raises(ValueError, match="expected shape"):
            GaussianPolicy(MLP((3, 2)), mean, std)


def test_the_distribution_is_what_is_sampled_and_scored() -> None:
    policy: Policy = POLICY
    made, seen, actions = parameters(2), torch.randn(5, 3), torch.randn(5, 2)
    choice = policy.distribution(made, seen, policy.first_memory(5))
    torch.testing.assert_close(choice.actions.mean, POLICY.means(made, seen))
    torch.testing.assert_close(
        choice.actions.log_prob(actions), POLICY.log_prob(made, seen, actions)
    )
    assert choice.memory is None


def test_a_context_is_seen_after_the_observation() -> None:
    made, seen = parameters(3), torch.randn(5, 3)
    apart = POLICY.distribution(made, seen[:, :2], context=seen[:, 2:])
    torch.testing.assert_close(apart.actions.mean, POLICY.means(made, seen))


def test_each_task_has_its_own_distribution() -> None:
    made = {name: torch.stack([parameters(k)[name] for k in range(2)]) for name in parameters(0)}
    seen = torch.randn(2, 4, 3)
    choice = POLICY.distribution(made, seen)
    for k in range(2):
        alone = POLICY.distribution(parameters(k), seen[k])
        torch.testing.assert_close(choice.actions.mean[k], alone.actions.mean)
        torch.testing.assert_close(choice.actions.variance[k], alone.actions.variance)
