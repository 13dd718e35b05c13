"""Thompson sampling: z is drawn from what the encoder says of the transitions so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.latent.base import Code, Context, ContextualModel
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.amortised import Latent, ThompsonMemory, pooled
from ros_mbmrl.robots.pendulum import Pendulum
from ros_mbmrl.robots.spec import Array

SPEC = Pendulum().spec
PRIOR = Code(torch.full((1, 1), 7.0), torch.full((1, 1), 2.0))


@dataclass(frozen=True)
class Look:
    code: Code


class MeanTorque:
    """Believes z to be the mean torque of a context, the more certain the more transitions."""

    size = 1

    def condition(self, parameters: Parameters, context: Context) -> Look:
        count = context.weight.sum(1, keepdim=True)
        mean = (context.actions[..., 0] * context.weight).sum(1, keepdim=True) / count
        return Look(Code(mean, 1.0 / count))


def latent(length: int = 3, every: int = 2) -> Latent:
    return Latent(cast(ContextualModel, MeanTorque()), {}, PRIOR, length, every)


def test_draws_have_the_moments_of_the_belief() -> None:
    count = 4000
    generators = [Generator().manual_seed(k) for k in range(count)]
    memory = ThompsonMemory(latent(every=1), SPEC, generators)
    states = np.zeros((count, 2))

    def seen() -> Tensor:
        return memory.seen(torch.zeros(count, 3), lambda _: np.zeros(count), states)[:, -1]

    before = seen()
    assert float(before.mean()) == pytest.approx(7.0, abs=0.15)
    assert float(before.std()) == pytest.approx(2.0, abs=0.1)
    for torque in (1.0, 0.0):
        memory.acted(np.full((count, 1), torque))
        after = seen()
    assert float(after.mean()) == pytest.approx(0.5, abs=0.05)
    assert float(after.std()) == pytest.approx(0.5, abs=0.05)


def test_z_stays_between_draws_and_the_oldest_transition_is_forgotten() -> None:
    memory = ThompsonMemory(latent(length=3, every=4), SPEC, [Generator().manual_seed(0)])
    observed, told = torch.tensor([[1.0, 2.0, 3.0]]), []

    def nothing(commands: Array) -> Array:
        raise AssertionError("rewards are not asked")

    for step in range(5):
        found = memory.seen(observed, nothing, np.zeros((1, 2)))
        assert found[0, :3].tolist() == [1.0, 2.0, 3.0]
        told.append(float(found[0, 3]))
        memory.acted(np.full((1, 1), 100.0 if step == 0 else 1.0))
    assert len(set(told[:4])) == 1 and told[4] != told[3]
    assert abs(told[4] - 1.0) < 2.0  # of the last three torques, all 1


def test_the_same_seed_draws_the_same() -> None:
    first, second = (
        ThompsonMemory(latent(), SPEC, [Generator().manual_seed(4)]).seen(
            torch.zeros(1, 3), lambda _: np.zeros(1), np.zeros((1, 2))
        )
        for _ in range(2)
    )
    assert torch.equal(first, second)


def test_beliefs_are_pooled_by_their_moments() -> None:
    two = Code(torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [1.0]]))
    found = pooled([two])
    assert float(found.mean) == 1.0
    assert float(found.deviation) == pytest.approx(2**0.5)  # 1 within, 1 between


def test_what_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="length, every"):
        latent(length=0)
    with pytest.raises(ValueError, match="prior"):
        Latent(cast(ContextualModel, MeanTorque()), {}, Code(*torch.zeros(2, 1, 3)))
