"""`bench pathwise`: figure 20 of the thesis, with a seed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.bench import pathwise
from ros_mbmrl.bench.double_integrator import LinearReturn
from ros_mbmrl.bench.pathwise import DISCOUNT, GAIN, QUICK, Config, gradient, true_world


@pytest.mark.parametrize("steps", [0, 3, 20])
def test_with_true_dynamics_and_critic_it_is_the_analytic_gradient(steps: int) -> None:
    known = LinearReturn(GAIN, DISCOUNT)
    starts = torch.randn(50, 2, generator=Generator().manual_seed(0))

    def critic(states: Tensor, forces: Tensor) -> Tensor:
        return known.critic(states.double(), forces.double())

    found = gradient(true_world(), critic, starts, steps, Generator())
    analytic = known.gradient(starts.double(), steps)
    assert torch.allclose(found.double(), analytic, rtol=1e-3)


def test_with_a_learned_model_an_interior_horizon_is_best() -> None:
    results = pathwise.run(Config(horizon=20, samples=300, hidden=(32, 32), repeats=2)).results
    assert 0 < results["best_horizon"] < 20
    assert results["best_over_none"] < 0.6 and results["best_over_longest"] < 0.9
    rows = {row["horizon"]: row for row in results["curve"]}
    # Far ahead the model's error is most of it; from the return's gradient all fall at first.
    assert rows[20]["learned_model"] > 1.5 * rows[20]["true_model"]
    assert rows[5]["learned_model_of_return"] < rows[0]["learned_model_of_return"]


def test_a_run_depends_on_its_seed_alone() -> None:
    first, second = (pathwise.run(replace(QUICK, repeats=1)).results for _ in range(2))
    assert first == second


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="horizon: expected an integer of at least 2"):
        Config(horizon=1)
