"""Returns and advantages against sums made by hand."""

from __future__ import annotations

import torch

from ros_mbmrl.policies.advantages import (
    LinearBaseline,
    discounted,
    generalised_advantages,
    standardised,
)


def test_returns_are_discounted_sums_of_what_follows() -> None:
    returns = discounted(torch.tensor([[1.0, 2.0, 4.0]]), 0.5)
    assert returns.tolist() == [[1 + 0.5 * (2 + 0.5 * 4), 2 + 0.5 * 4, 4.0]]


def test_advantages_by_hand() -> None:
    rewards, values = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([10.0, 20.0, 40.0])
    # delta = r + 0.5 v' - v: 1 + 10 - 10, 2 + 20 - 20, 4 - 40
    deltas = [1.0, 2.0, -36.0]
    expected = [deltas[0] + 0.25 * (deltas[1] + 0.25 * deltas[2])]
    expected += [deltas[1] + 0.25 * deltas[2], deltas[2]]
    assert generalised_advantages(rewards, values, 0.5, 0.5).tolist() == expected


def test_without_decay_they_are_returns_less_values() -> None:
    rewards, values = torch.randn(2, 3, 7), torch.randn(2, 3, 7)
    advantages = generalised_advantages(rewards, values, 0.9, 1.0)
    torch.testing.assert_close(advantages, discounted(rewards, 0.9) - values)


def test_the_baseline_finds_what_is_linear_in_its_features() -> None:
    def returns(seen: torch.Tensor) -> torch.Tensor:
        time = torch.arange(30) / 100
        return 3 * seen[..., 0] - 5 + seen[..., 1] ** 2 + 7 * time**2

    generator = torch.Generator().manual_seed(0)  # not every draw fits as well
    told = torch.randn(2, 4, 30, 2, generator=generator)
    other = torch.randn(30, 2, generator=generator)
    baseline = LinearBaseline.fit(told, returns(told))
    torch.testing.assert_close(baseline.values(told), returns(told), atol=0.02, rtol=0.0)
    torch.testing.assert_close(baseline.values(other), returns(other), atol=0.02, rtol=0.0)
    stiff = LinearBaseline.fit(told, returns(told), ridge=1e6)
    assert stiff.values(told).abs().max() < 1e-3


def test_each_task_is_standardised_by_itself() -> None:
    advantages = torch.randn(2, 3, 50) * torch.tensor([1.0, 100.0])[:, None, None] + 7
    flat = standardised(advantages).flatten(1)
    torch.testing.assert_close(flat.mean(1), torch.zeros(2), atol=1e-5, rtol=0.0)
    torch.testing.assert_close(flat.std(1, correction=0), torch.ones(2))
