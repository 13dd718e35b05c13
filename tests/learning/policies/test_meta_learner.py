"""The loop of meta-learners: its draws, and the credit of formulation II."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ros_mbmrl.learning.policies.meta_learner import (
    MetaConfig,
    MetaLearner,
    Sampled,
    formulation_two,
    inner_phases,
)
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.adapt import InnerConfig
from ros_mbmrl.policies.sampling import Tasks

CONFIG = MetaConfig(
    budget=1, tasks=3, inner=InnerConfig(steps=2, episodes=2, horizon=5), hidden=(4,)
)


class Kept:
    """An outer step that keeps what it is given and moves every parameter by one hundredth."""

    def __init__(self) -> None:
        self.sampled: list[Sampled] = []

    def step(self, sampled: Sampled) -> tuple[Parameters, dict[str, float]]:
        self.sampled.append(sampled)
        moved = {name: value + 0.01 for name, value in sampled.parameters.items()}
        return moved, {"steps": len(self.sampled)}

    def snapshot(self) -> dict[str, Tensor]:
        return {"outer/steps": torch.tensor(len(self.sampled))}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        self.restored = int(tensors["outer/steps"])


def updated(tasks: Tasks, times: int = 1) -> tuple[MetaLearner, Kept]:
    kept = Kept()
    learner = MetaLearner(tasks, CONFIG, kept)
    for _ in range(times):
        learner.update(tasks, torch.Generator())
    return learner, kept


def test_an_iteration_hands_its_samples_to_the_outer_step(point_tasks: Tasks) -> None:
    learner, kept = updated(point_tasks)
    (sampled,) = kept.sampled
    assert [len(each.log_probs) for each in sampled.adapted.experiences] == [3, 3]
    assert sampled.after.log_probs.shape == (3, 10) and sampled.after.horizon == 5
    assert sampled.returns.shape == (3,)
    assert CONFIG.batch == 3 * 2 * 5 * 3
    assert all(
        torch.equal(learner.parameters[name], value + 0.01)
        for name, value in sampled.parameters.items()
    )
    assert learner.update(point_tasks, torch.Generator())["steps"] == 2


def test_the_phases_are_those_that_sampled(point_tasks: Tasks) -> None:
    _, kept = updated(point_tasks)
    (sampled,) = kept.sampled
    phases = inner_phases(sampled, sampled.parameters, CONFIG.inner.rate, differentiable=False)
    assert len(phases) == 3
    for k, experience in enumerate(sampled.adapted.experiences):
        own = (phases[k], experience.observations, experience.actions)
        told = sampled.policy.log_prob(*own)
        torch.testing.assert_close(told, experience.log_probs, rtol=1e-4, atol=1e-5)
    for name, value in sampled.adapted.parameters.items():
        torch.testing.assert_close(phases[-1][name], value, rtol=1e-4, atol=1e-6)


def test_credit_is_the_return_among_those_of_the_tasks(point_tasks: Tasks) -> None:
    _, kept = updated(point_tasks)
    sampled = replace(kept.sampled[0], returns=torch.tensor([1.0, 2.0, 3.0]))
    high = (3 / 2) ** 0.5  # one over the deviation of 1, 2, 3
    torch.testing.assert_close(sampled.credit, torch.tensor([-high, 0.0, high]))
    phases = inner_phases(sampled, sampled.parameters, CONFIG.inner.rate, differentiable=False)
    told = sum(each.log_probs.sum(1) / 5 for each in sampled.adapted.experiences)
    expected = told * sampled.credit
    torch.testing.assert_close(formulation_two(sampled, phases), expected, rtol=1e-3, atol=1e-3)


def test_a_restored_learner_goes_on(point_tasks: Tasks) -> None:
    whole, _ = updated(point_tasks, times=3)
    first, _ = updated(point_tasks, times=2)
    kept = Kept()
    second = MetaLearner(point_tasks, CONFIG, kept)
    second.restore(first.snapshot())
    assert kept.restored == 2
    second.update(point_tasks, torch.Generator())
    assert torch.equal(second.policy.mean, whole.policy.mean)
    assert all(torch.equal(second.parameters[n], v) for n, v in whole.parameters.items())
    assert torch.equal(second.baselines[1].weights, whole.baselines[1].weights)


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="budget, tasks: expected at least 1"):
        MetaConfig(tasks=0)
    with pytest.raises(ValueError, match="estimator: expected one of"):
        MetaConfig(estimator="exact")
