"""What is shared by off-policy methods with a model: when it is fitted, what is imagined."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Generator

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.branched import BranchConfig
from ros_mbmrl.learning.policies.model_based import MODEL, ModelBasedConfig, ModelBasedLearner
from ros_mbmrl.learning.policies.simulated_tasks import simulated_tasks
from ros_mbmrl.learning.policies.soft import SoftConfig
from ros_mbmrl.policies.sampling import Tasks

FIT = replace(
    MODEL, hidden=(16,), members=3, elites=2, supervised_steps=100, learning_rate=1e-2, rows=64
)
CONFIG = ModelBasedConfig(
    budget=160,
    worlds=4,
    horizon=40,
    first=80,
    every=8,
    branches=BranchConfig(length=2, rows=50, kept=2),
    real=0.25,
    soft=SoftConfig(hidden=(8,), rows=16),
    model=FIT,
)


class Watching(ModelBasedLearner[ModelBasedConfig]):
    """Count fits and gradient steps."""

    fits = steps = 0

    def _fit(self, generator: Generator) -> None:
        super()._fit(generator)
        self.fits += 1

    def _improve(self, steps: int, generator: Generator) -> dict[str, float]:
        self.steps += steps
        return {"steps": float(steps)}


@pytest.fixture(scope="module")
def learner() -> Watching:
    from tests.learning.policies.conftest import Slider, SliderEnvironment

    tasks = Tasks(Slider(), lambda rng: None, SliderEnvironment)  # type: ignore[arg-type, return-value]
    found = Watching(tasks, CONFIG)
    found.update(tasks, Generator())
    return found


def test_models_are_fitted_once_there_are_enough_data(learner: Watching) -> None:
    assert learner.fits == 4  # after 20 control periods, and after 24, 32 and 40
    assert learner.model is not None
    assert learner.steps == 4 * (40 - 19)


def test_imagined_transitions_are_like_real_ones(learner: Watching) -> None:
    assert len(learner.imagined) == 200  # two fits' of 50 roll-outs, 2 steps each
    found = learner.imagined.draw(200, Generator().manual_seed(0))
    x, v = found.observations.T
    v_next = 0.8 * v + 0.4 * found.actions[:, 0]
    x_next = x + 0.1 * v_next + 0.05 * torch.sin(3 * x)
    apart = (found.following - torch.stack([x_next, v_next], dim=1)).abs().mean()
    assert float(apart) < 0.1
    assert torch.allclose(
        found.rewards, -((found.following[:, 0] - 1) ** 2) - 0.01 * found.actions[:, 0] ** 2
    )


def test_a_batch_has_its_share_of_real_transitions(learner: Watching) -> None:
    batch = learner.mixed(Generator().manual_seed(0))
    assert len(batch.rewards) == 16
    real = learner.replay.snapshot()["0"]
    known = (batch.observations[:4, None] == real[None]).all(dim=-1).any(dim=1)
    assert bool(known.all())


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match="every: expected at least 1"):
        replace(CONFIG, every=0)
    with pytest.raises(ValueError, match="expected real from 0 to 1"):
        replace(CONFIG, real=1.5)
    with pytest.raises(ValueError, match="model: expected method mb with head gaussian"):
        replace(CONFIG, model=replace(MODEL, head="mse"))
    with pytest.raises(UserError, match="robot 'arm_7dof' has goals: expected one whose state"):
        Watching(simulated_tasks("arm_7dof"), CONFIG)
