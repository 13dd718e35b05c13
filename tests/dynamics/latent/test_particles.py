"""Particles: their memory is checked before it is taken, and eq. 11's moments."""

from __future__ import annotations

import pytest
import torch

from ros_mbmrl.dynamics.latent.particles import check_particles, moments_of
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.mlp import MLP

NETWORK = MLP((4, 10, 2), "relu")  # 16 numbers a row, 64 bytes


def test_particles_that_do_not_fit_are_refused_with_their_bytes() -> None:
    check_particles(10, 5, NETWORK, memory=3200)
    with pytest.raises(UserError, match="at most 10 for 5 rows, got 11: they would take 3520 byte"):
        check_particles(11, 5, NETWORK, memory=3200)
    with pytest.raises(UserError, match="at most"):
        check_particles(10**15, 1, NETWORK)
    with pytest.raises(UserError, match="particles: expected at least 1, got 0"):
        check_particles(0, 1, NETWORK)


def test_moments_are_those_of_the_particles_and_the_noise() -> None:
    normalizer = Normalizer(torch.zeros(3), torch.ones(3), torch.ones(2), torch.tensor([1.0, 3.0]))
    outputs = torch.tensor([[[[0.0, 1.0]]], [[[2.0, 1.0]]]])  # two particles
    noise = {"noise.b": torch.log(torch.tensor([0.25, 4.0]))}
    found = moments_of(normalizer, outputs, noise, several=True)
    torch.testing.assert_close(found.mean, torch.tensor([[[2.0, 4.0]]]))
    assert found.variance is not None
    torch.testing.assert_close(found.variance, torch.tensor([[[1.0 + 0.25, 9.0 * 4.0]]]))
    alone = moments_of(normalizer, outputs[:1], noise, several=False)
    torch.testing.assert_close(alone.variance, torch.tensor([[[0.25, 36.0]]]))
