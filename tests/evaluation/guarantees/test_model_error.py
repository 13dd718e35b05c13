"""Errors of a model that is known: exact, off by a constant, and with noise of its own."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from ros_mbmrl.data.rollout import Mark, Rollout
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.guarantees.model_error import (
    Predicted,
    bounded,
    largest_over_time,
    likelihood,
    model_error,
    variations,
)
from ros_mbmrl.networks.mlp import Parameters

Linear = tuple[DynamicsModel, Parameters]
ONES = torch.ones(2)


def test_an_exact_model_has_no_error(exact: Linear, rollouts: list[Rollout]) -> None:
    found = model_error(*exact, rollouts[:2], rollouts[2:], 0.1, ONES)
    assert found.transitions == 60
    assert found.distance < 1e-6 and found.variation < 1e-5


def test_a_constant_error(exact: Linear, rollouts: list[Rollout]) -> None:
    model, parameters = exact
    wrong = {**parameters, "b0": torch.tensor([0.03, 0.04])}
    found = model_error(model, wrong, rollouts[:2], rollouts[2:], 0.1, torch.tensor([1.0, 2.0]))
    apart = math.erf(0.05 / (2 * math.sqrt(2) * 0.1))
    assert found.variation == pytest.approx(apart, rel=1e-4) == found.mean_variation
    assert found.distance == pytest.approx(math.hypot(0.03, 0.02), rel=1e-4)
    without = model_error(model, wrong, rollouts[:2], rollouts[2:], 0.0, ONES)
    assert without.variation == 1.0  # no noise: any error is total


def test_the_distance_of_two_gaussians_is_the_integral() -> None:
    x = np.linspace(-6, 6, 200_001)
    p, q = (np.exp(-((x - m) ** 2) / 2 / 0.25) / math.sqrt(2 * math.pi * 0.25) for m in (0, 0.7))
    integral = np.abs(p - q).sum() * (x[1] - x[0]) / 2
    (found,) = variations(torch.tensor([[[0.7]]]), None, 0.5)
    assert float(found) == pytest.approx(integral, abs=1e-4)


def test_with_heads_it_is_bounded_by_the_divergence() -> None:
    """Equal variances: the bound is Pinsker's, at least the exact distance, and at most 1."""
    errors, variances = torch.tensor([[[0.3], [0.0], [50.0]]]), torch.full((1, 3, 1), 0.04)
    exact, found = variations(errors, None, 0.2), variations(errors, variances, 0.2)
    assert (found >= exact - 1e-6).all() and found[1] == 0 and found[2] == 1
    assert float(found[0]) == pytest.approx(math.sqrt(0.3**2 / (4 * 0.04)))
    assert float(bounded(torch.tensor(0.02))) == pytest.approx(0.1)


def test_the_likelihood_is_that_of_a_gaussian() -> None:
    errors = torch.tensor([[[0.2], [-0.2]]])
    found = likelihood(errors, Predicted(torch.zeros(1, 2, 1), None), torch.tensor([0.04]))
    assert found == pytest.approx(0.5 + 0.5 * math.log(2 * math.pi * 0.04))
    heads = Predicted(torch.tensor([[[0.1], [0.1]], [[-0.1], [-0.1]]]), torch.full((2, 2, 1), 0.03))
    both = likelihood(errors.expand(2, -1, -1), heads, torch.zeros(1))
    assert both == pytest.approx(found)  # .03 by the heads, .01 by disagreement


def test_the_largest_over_time_is_of_means_over_rollouts(rollouts: list[Rollout]) -> None:
    short = [replace_length(each, n) for each, n in zip(rollouts, (3, 2), strict=False)]
    values = torch.tensor([1.0, 2.0, 3.0, 5.0, 100.0])
    kept = torch.tensor([True, True, True, True, False])
    assert largest_over_time(values, kept, short) == 3.0  # 3, 2, 3
    assert largest_over_time(values, torch.ones(5).bool(), short) == 51.0


def replace_length(rollout: Rollout, steps: int) -> Rollout:
    parts = {name: getattr(rollout, name)[: steps + 1] for name in ("states", "times")}
    parts |= {name: getattr(rollout, name)[:steps] for name in ("actions", "marks")}
    return replace(rollout, **parts)


def test_nothing_to_judge_by_is_refused(exact: Linear, rollouts: list[Rollout]) -> None:
    with pytest.raises(UserError, match="expected held-out rollouts"):
        model_error(*exact, rollouts, [], 0.1, ONES)
    marked = [replace(rollouts[0], marks=np.full(30, Mark.WILD, dtype=np.uint8))]
    with pytest.raises(UserError, match="expected plausible transitions"):
        model_error(*exact, rollouts, marked, 0.1, ONES)
