"""Learned variances of a network's outputs, the same everywhere: what z cannot explain."""

from __future__ import annotations

import torch
from torch import Tensor

from ros_mbmrl.networks.groups import NOISE
from ros_mbmrl.networks.mlp import Parameters

LOWEST = -14.0  # log variance of a normalised change


def new_noise(outputs: int) -> Parameters:
    """Return the log variances of the changes at the start of training: those of all data."""
    return NOISE.named({"b": torch.zeros(outputs)})


def has_noise(parameters: Parameters) -> bool:
    """Tell whether a network knows the variances of its outputs."""
    return f"{NOISE.prefix}b" in parameters


def log_variance(parameters: Parameters) -> Tensor:
    """Return the log variances (outputs,) of normalised changes."""
    return parameters[f"{NOISE.prefix}b"].clamp_min(LOWEST)
