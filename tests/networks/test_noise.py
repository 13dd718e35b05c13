"""Variances of outputs that are the same everywhere."""

from __future__ import annotations

import torch

from ros_mbmrl.networks.noise import LOWEST, has_noise, log_variance, new_noise


def test_they_begin_at_the_variance_of_the_data_and_have_a_floor() -> None:
    own = new_noise(3)
    assert torch.equal(log_variance(own).exp(), torch.ones(3))
    own["noise.b"][1] = -100.0
    assert log_variance(own).tolist() == [0.0, LOWEST, 0.0]
    assert has_noise(own) and not has_noise({"b0": own["noise.b"]})
