"""Contextual models of growing data: normalised anew when it doubles."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from ros_mbmrl.learning.models.elbo import ElboConfig, TaskData
from ros_mbmrl.learning.policies.contextual_models import (
    KINDS,
    ContextualModelConfig,
    LatentConfig,
    fitted,
    normalizer_of,
)
from ros_mbmrl.learning.policies.trials import contexts
from ros_mbmrl.policies.sampling import Tasks

CONFIG = ContextualModelConfig(
    hidden=(8,), first=3, latent=LatentConfig(size=2, hidden=4), fit=ElboConfig(2, batch=2)
)


def data(count: int, seed: int, scale: float = 1.0) -> TaskData:
    generator = Generator().manual_seed(seed)
    states = scale * torch.randn(count, 2, generator=generator)
    actions = torch.randn(count, 1, generator=generator)
    return TaskData(states, actions, states + 0.1 * actions)


@pytest.mark.parametrize("kind", KINDS)
def test_the_normalisation_changes_when_the_data_have_doubled(kind: str, sliders: Tasks) -> None:
    generator = Generator().manual_seed(0)
    first = fitted(kind, sliders.robot, [data(20, 0)], CONFIG, None, generator)
    few = [data(20, 0), data(10, 1, 9.0)]
    second = fitted(kind, sliders.robot, few, CONFIG, first, generator)
    assert second.model is first.model and second.rows == 20
    assert any(not torch.equal(v, first.parameters[k]) for k, v in second.parameters.items())
    many = [*few, data(10, 2)]
    third = fitted(kind, sliders.robot, many, CONFIG, second, generator)
    assert third.rows == 40
    expected = normalizer_of(sliders.robot, many)
    torch.testing.assert_close(third.model.normalizer.input_std, expected.input_std)
    conditioned = third.model.condition(third.parameters, contexts(many, 5))
    moved = conditioned.sampled(generator, 4)(torch.zeros(3, 4, 2), torch.zeros(3, 4, 1))
    assert moved.shape == (3, 4, 2) and bool(moved.isfinite().all())


def test_wrong_values_are_refused() -> None:
    with pytest.raises(ValueError, match="first, hidden"):
        ContextualModelConfig(hidden=())
    with pytest.raises(ValueError, match="temperature"):
        LatentConfig(temperature=0.0)
