"""Algorithm 1 on a slider and on the pendulum's own physics; it resumes as if never stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.embedded import EmbeddedConfig
from ros_mbmrl.learning.policies.memb import MODEL, MEMBConfig, train_memb
from ros_mbmrl.learning.policies.simulated_tasks import simulated_tasks
from ros_mbmrl.learning.policies.soft import SoftConfig
from ros_mbmrl.policies.sampling import Tasks

SOFT = SoftConfig(
    hidden=(32,), rows=64, learning_rate=3e-3, discount=0.95, temperature=0.05, entropy=None
)
FIT = replace(
    MODEL,
    hidden=(32, 32),
    supervised_steps=200,
    learning_rate=5e-3,
    validate_every=50,
    rows=128,
    batch=32,
)


def small(iterations: int) -> MEMBConfig:
    return MEMBConfig(
        learned_reward=False,
        budget=80 * iterations,
        worlds=4,
        horizon=20,
        first=80,
        every=40,
        updates=3,
        soft=SOFT,
        own=EmbeddedConfig(value_rate=3e-3),
        model=FIT,
    )


@pytest.mark.parametrize("own", [EmbeddedConfig(3e-3), EmbeddedConfig(3e-3, 2, 2, True)])
def test_a_slider_learns_to_park(sliders: Tasks, own: EmbeddedConfig) -> None:
    trained = train_memb(sliders, replace(small(6), own=own))
    returns = [point.mean_return for point in trained.curve]
    assert sum(returns[-2:]) / 2 > returns[0] / 2  # they are negative: half the cost by chance
    assert trained.model is not None


@pytest.mark.parametrize("true_model", [False, True])
def test_it_goes_on_from_a_checkpoint_as_if_it_had_not_stopped(
    true_model: bool, tmp_path: Path
) -> None:
    tasks, fit = simulated_tasks("pendulum"), replace(FIT, supervised_steps=50)
    own = {"updates": 1, "model": fit, "true_model": true_model, "learned_reward": True}
    config = replace(small(3), **own)  # type: ignore[arg-type]
    whole = train_memb(tasks, config)
    train_memb(tasks, replace(config, budget=160), tmp_path)
    resumed = train_memb(tasks, config, tmp_path)
    assert resumed.curve == whole.curve and (whole.model is None) == true_model
    for name, value in whole.parameters.items():
        assert torch.equal(value, resumed.parameters[name])


def test_the_learned_reward_comes_near_the_task_s() -> None:
    config = replace(small(4), worlds=8, first=160, updates=1, learned_reward=True)
    tasks, told = simulated_tasks("pendulum"), list[float]()

    def progress(phase: str, step: int, steps: int, scalars: Mapping[str, float]) -> None:
        told.append(scalars["reward_error"])

    train_memb(tasks, replace(config, budget=640), None, progress)
    assert len(told) == 4 and told[-1] < 0.2 and told[-1] < told[0] + 0.1


def test_a_system_without_a_function_of_its_physics(sliders: Tasks) -> None:
    with pytest.raises(UserError, match="true_model: expected a system whose physics"):
        train_memb(sliders, replace(small(1), true_model=True))


def test_table_2_is_the_default() -> None:
    config = MEMBConfig()
    assert config.updates == 5 and config.soft.hidden == (256, 256) and config.budget == 200_000
    assert config.model.hidden == (256, 128) and config.model.members == 1
    assert (config.soft.learning_rate, config.own.value_rate) == (3e-4, 1e-3)
    assert (config.soft.temperature, config.soft.entropy, config.learned_reward) == (
        0.4,
        None,
        True,
    )


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match=r"own.expansion: expected up to the horizon .*, 20, .*21"):
        replace(small(1), own=EmbeddedConfig(expansion=21))
    with pytest.raises(ValueError, match="real: expected 1"):
        replace(small(1), real=0.5)
    with pytest.raises(ValueError, match="model: expected method mb, got grbal"):
        replace(small(1), model=replace(FIT, method="grbal"))
