"""Particles of contextual models: their memory, checked first, and the noise of predictions."""

from __future__ import annotations

import os

import torch
from torch import Tensor

from ros_mbmrl.dynamics.model import Moments
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.noise import log_variance

BYTES = 4  # of a float32


def moments_of(
    normalizer: Normalizer, outputs: Tensor, parameters: Parameters, several: bool
) -> Moments:
    """Return eq. 11's mean and variance, in SI units, of particles (P, N, T, outputs).

    Args:
        normalizer: of changes.
        outputs: of the network, for each particle.
        parameters: with the noise's log variances.
        several: whether the particles are samples; else the one is in the mean of all noise.
    """
    unit = normalizer.change_std.square()
    noise = log_variance(parameters).exp() * unit
    mean = normalizer.denormalise(outputs.mean(dim=0))
    apart = outputs.var(dim=0, correction=0) * unit if several else torch.zeros_like(mean)
    return Moments(mean, noise.expand_as(mean), apart)


def check_particles(particles: int, rows: int, mlp: MLP, memory: int | None = None) -> None:
    """Refuse particles whose hidden units would not fit into the memory.

    Args:
        particles: of each row.
        rows: of all tasks.
        mlp: the network that they pass through.
        memory: [bytes]; None: that of this machine.

    Raises:
        UserError: too many, or none.
    """
    if particles < 1:
        raise UserError(f"particles: expected at least 1, got {particles}")
    if memory is None:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    each = BYTES * rows * sum(mlp.sizes)
    if particles * each > memory:
        raise UserError(
            f"particles: expected at most {memory // each} for {rows} rows, got {particles}: they "
            f"would take {particles * each} bytes of {memory}"
        )
