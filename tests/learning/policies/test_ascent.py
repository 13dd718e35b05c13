"""Ascent: to the top of a hill, and on from a snapshot as if nothing had happened."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ros_mbmrl.learning.policies.ascent import Ascent
from ros_mbmrl.networks.mlp import Parameters

TOP = torch.tensor([1.0, -2.0])


def hill(parameters: Parameters) -> Tensor:
    return -((parameters["x"] - TOP) ** 2).sum()


def test_it_climbs_to_the_top() -> None:
    found = Ascent(0.1).climb({"x": torch.zeros(2)}, hill, steps=300)
    torch.testing.assert_close(found["x"], TOP, atol=1e-2, rtol=0.0)
    assert not found["x"].requires_grad


def test_the_first_step_of_adam_is_its_rate() -> None:
    found = Ascent(0.1).climb({"x": torch.zeros(2)}, hill)
    torch.testing.assert_close(found["x"], 0.1 * TOP.sign())


def test_it_goes_on_from_a_snapshot() -> None:
    whole, first, second = Ascent(0.1), Ascent(0.1), Ascent(0.1)
    start = {"x": torch.zeros(2)}
    half = first.climb(start, hill, steps=3)
    second.restore(first.snapshot())
    assert second.snapshot().keys() == first.snapshot().keys()
    own = whole.climb(whole.climb(start, hill, steps=3), hill, steps=3)
    assert torch.equal(second.climb(half, hill, steps=3)["x"], own["x"])


def test_a_gradient_that_is_not_finite_moves_nothing() -> None:
    start = {"x": torch.tensor([0.5])}
    found = Ascent(0.1).climb(start, lambda own: own["x"].sum() * math.inf)
    assert torch.equal(found["x"], start["x"])
