"""Episodes that end early: steps after the end count nowhere, by numbers made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from ros_mbmrl.learning.policies.surrogates import (
    ESTIMATORS,
    clipped_surrogate,
    pre_update_credit,
    step_rewards,
)
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.advantages import LinearBaseline
from ros_mbmrl.policies.gaussian import GaussianPolicy, for_tasks
from ros_mbmrl.policies.inner_step import Experience
from ros_mbmrl.policies.sampling import (
    Discounts,
    Episodes,
    Tasks,
    experience_of,
    noise_of,
    sample_episodes,
)

POLICY = GaussianPolicy(MLP((2, 2)), torch.zeros(2), torch.ones(2))
NOTHING = LinearBaseline(torch.zeros(8, dtype=torch.float64))
LIVE = torch.tensor([[[True, True, False, False], [True, True, True, True]]])
REWARDS = torch.tensor([[[1.0, 3.0, 0.0, 0.0], [2.0, 2.0, 2.0, 2.0]]])


def parameters(tasks: int = 1) -> Parameters:
    generator = torch.Generator().manual_seed(0)
    return for_tasks(POLICY.init(generator, log_std=-1.0), tasks)


def episodes(rewards: Tensor = REWARDS, after: float = 0.0) -> Episodes:
    """Two episodes of a task, the first over after two steps; `after`: what is seen after that."""
    seen = torch.arange(16.0).reshape(1, 2, 4, 2) / 10
    seen[0, 0, 2:] += after
    acted = seen.flip(-1)
    likely = POLICY.log_prob(parameters(), seen.flatten(1, 2), acted.flatten(1, 2)).view(1, 2, 4)
    return Episodes(seen, acted, likely, rewards, live=LIVE)


def test_a_row_that_terminates_has_no_further_steps(point_tasks: Tasks) -> None:
    situations, seeds = point_tasks.drawn(np.random.default_rng(0), 4)
    world, noise = point_tasks.make(situations, seeds), noise_of(seeds, 3, 2)
    whole = sample_episodes(POLICY, parameters(2), world, noise)
    assert whole.live is None and len(whole.seen) == 12
    world = point_tasks.make(situations, seeds)
    world.lost[1] = True  # type: ignore[attr-defined]
    cut = sample_episodes(POLICY, parameters(2), world, noise)
    assert cut.live is not None and cut.live.sum(-1).tolist() == [[3, 1], [3, 3]]
    assert torch.equal(cut.rewards[0, 0], whole.rewards[0, 0])
    assert cut.rewards[0, 1].tolist() == [float(whole.rewards[0, 1, 0]), 0.0, 0.0]
    assert cut.returns[0, 1] == whole.rewards[0, 1, 0]
    assert len(cut.seen) == 10


def test_advantages_of_a_short_episode_by_hand() -> None:
    experience, _ = experience_of(POLICY, episodes(), Discounts(0.5, 1.0), NOTHING)
    # 1 + 3 / 2, 3; 2 + 1 + .5 + .25, 2 + 1 + .5, 2 + 1, 2: those six alone are standardised.
    counted = np.array([2.5, 3.0, 3.75, 3.5, 3.0, 2.0])
    expected = (counted - counted.mean()) / counted.std()
    found = experience.advantages[0].numpy()
    assert found[[0, 1, 4, 5, 6, 7]] == pytest.approx(expected, abs=1e-5)
    assert found[2:4].tolist() == [0.0, 0.0]
    assert experience.length == pytest.approx(3.0)
    assert experience.mean(torch.arange(8.0)[None]) == pytest.approx((0 + 1 + 4 + 5 + 6 + 7) / 6)


def test_nothing_is_to_come_after_the_end() -> None:
    """A baseline of 1 everywhere: the last step of an episode counts its own reward alone."""
    weights = torch.zeros(8, dtype=torch.float64)
    weights[-1] = 1.0
    found, _ = experience_of(POLICY, episodes(), Discounts(1.0, 0.0), LinearBaseline(weights))
    # r + V' - V: 1, 3 - 1; 2, 2, 2, 2 - 1
    counted = np.array([1.0, 2.0, 2.0, 2.0, 2.0, 1.0])
    expected = (counted - counted.mean()) / counted.std()
    assert found.advantages[0, [0, 1, 4, 5, 6, 7]].numpy() == pytest.approx(expected, abs=1e-5)


def test_what_is_seen_after_the_end_changes_nothing() -> None:
    own, baselines = parameters(), []
    told: dict[str, list[Tensor]] = {}
    for after in (0.0, 50.0):
        experience, baseline = experience_of(POLICY, episodes(after=after), Discounts(0.9, 0.9))
        baselines.append(baseline.weights)
        theta = {name: value.clone().requires_grad_() for name, value in own.items()}
        gains = {name: each.inner(POLICY, theta, experience) for name, each in ESTIMATORS.items()}
        gains["credit"] = pre_update_credit(POLICY, theta, experience, torch.tensor([2.0]))
        gains["clipped"] = clipped_surrogate(POLICY, theta, experience, 0.2)
        for name, gain in gains.items():
            slopes = torch.autograd.grad(gain.sum(), list(theta.values()))
            told.setdefault(name, []).append(torch.cat([each.flatten() for each in slopes]))
    assert torch.equal(*baselines)
    for name, (first, second) in told.items():
        assert torch.equal(first, second), name
        assert first.abs().max() > 1e-3, name


def test_objectives_are_means_over_what_was_lived() -> None:
    """The same transitions as episodes of their own length, one after the other."""
    cut, _ = experience_of(POLICY, episodes(), Discounts(0.9, 0.9), NOTHING)
    kept = [0, 1, 4, 5, 6, 7]
    parts = (cut.observations, cut.actions, cut.log_probs, cut.advantages)
    alone = Experience(*(part[:, kept] for part in parts), horizon=3)
    moved = {name: value + 0.1 for name, value in parameters().items()}
    for name in ("likelihood_ratio", "lvc", "maml"):
        objective = ESTIMATORS[name].inner
        expected = objective(POLICY, moved, alone)
        torch.testing.assert_close(objective(POLICY, moved, cut), expected)
    credit = pre_update_credit(POLICY, moved, alone, torch.ones(1))  # 2 episodes of 3 steps
    torch.testing.assert_close(pre_update_credit(POLICY, moved, cut, torch.ones(1)), credit)


def test_rewards_by_dice_end_with_the_episode() -> None:
    cut, _ = experience_of(POLICY, episodes(), Discounts(1.0, 1.0), NOTHING)
    rewards = step_rewards(cut).view(2, 4)
    sums = rewards.flip(-1).cumsum(-1).flip(-1)
    torch.testing.assert_close(sums, cut.advantages.view(2, 4))
    assert rewards[0, 2:].tolist() == [0.0, 0.0]


def test_episodes_that_all_last_are_as_ever() -> None:
    lasting = replace(episodes(), live=torch.ones_like(LIVE))
    masked, first = experience_of(POLICY, lasting, Discounts())
    plain, second = experience_of(POLICY, replace(lasting, live=None), Discounts())
    torch.testing.assert_close(masked.advantages, plain.advantages)
    assert torch.equal(first.weights, second.weights)
