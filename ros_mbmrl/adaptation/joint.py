"""Causes that all vary at once: regression in their space, under every hypothesis of a bank.

Robots that are well differ, too: gains, mounting, slope, payload. What differs is a small number of
causes, so each hypothesis is judged with all of these fitted to the window, not at their defaults.
Within a hypothesis errors are linear in the causes' offsets z, whose prior is standard normal:

    e(z) = e + S z,    z = argmin sum over rows of w |W e(z)|^2 + |z|^2,
    log P(window | hypothesis) = log-likelihood at z - |z|^2 / 2 - log det(H) / 2    (Laplace),

with W the whitening of errors, w a row's Student-t weight times the probability that the hypothesis
holds in it, and H = I + S^T w S. The noise of each output is the window's own: a robot on smooth
ground is followed at once, one on rough ground slowly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ros_mbmrl.adaptation.bank import SPREAD, Acting
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.error_distribution import ErrorDistribution
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.tasks import spread
from ros_mbmrl.networks.updates import InputUpdate, Update

NUDGE = 0.1  # of a difference quotient, in units of the prior's deviation
ROUNDS = 3  # of fitting causes, noise and which rows a hypothesis holds in
KNOWN = 8.0  # rows that the deviations of training count for, against the window's own
QUIETEST, LOUDEST = 0.05, 3.0  # deviation of an output relative to that of training


@dataclass(frozen=True)
class Linear:
    """Errors of M tasks under each of J hypotheses, and how they change with its G causes.

    Args:
        errors: (M, J, T1, outputs).
        slopes: (M, J, G, T1, outputs).
        values: causes of each hypothesis at its level (J, c).
        axes: changes of the causes (J, G, c) for offsets of one deviation of their prior.
        low, high: ranges of the causes (c,).
    """

    errors: Tensor
    slopes: Tensor
    values: Tensor
    axes: Tensor
    low: Tensor
    high: Tensor

    @classmethod
    def of(
        cls, mlp: MLP, parameters: Parameters, bank: Mapping[str, Tensor], support: Support
    ) -> Linear:
        """Return the errors of windows around each hypothesis's level, by difference quotients.

        Those of causes that are free when all is well are taken there for every hypothesis: a
        quarter of the passes.
        """
        values, axes = bank["values"], bank["axes"] * SPREAD * (bank["high"] - bank["low"])
        usual = axes[0]
        same = (axes[:, :, None] == usual).all(dim=-1) & usual.any(dim=-1)  # (J, G, G)
        shared, own = same.any(dim=-1), axes.any(dim=-1)
        which, axis = (own & ~shared).nonzero(as_tuple=True)
        points = (values, values[0] + NUDGE * usual, values[which] + NUDGE * axes[which, axis])
        found = _errors(mlp, parameters, bank, support, torch.cat(points))
        errors, common, particular = torch.split(found, [len(part) for part in points], dim=1)
        slopes = errors.new_zeros(*errors.shape[:2], axes.shape[1], *errors.shape[2:])
        hypothesis, place = shared.nonzero(as_tuple=True)
        number = same[hypothesis, place].to(torch.uint8).argmax(dim=-1)
        slopes[:, hypothesis, place] = (common - errors[:, :1])[:, number] / NUDGE
        slopes[:, which, axis] = (particular - errors[:, which]) / NUDGE
        return cls(errors, slopes, values, axes, bank["low"], bank["high"])

    def repeated(self, tasks: int) -> Linear:
        """Return the same for tasks that share rows, see `Support`."""
        own = spread(self.errors, tasks), spread(self.slopes, tasks)
        return Linear(*own, self.values, self.axes, self.low, self.high)

    def causes(self, z: Tensor) -> Tensor:
        """Return the causes (N, J, c) at offsets z (N, J, G), within their ranges."""
        offset = torch.einsum("njg,jgc->njc", z, self.axes)
        return (self.values + offset).clamp(self.low, self.high)

    def inside(self, z: Tensor) -> Tensor:
        """Return offsets (N, J, G) whose causes are within their ranges."""
        square = self.axes.square().sum(dim=-1).clamp_min(1e-12)
        offset = self.causes(z) - self.values
        return torch.einsum("njc,jgc->njg", offset, self.axes) / square

    def at(self, z: Tensor) -> Tensor:
        """Return the errors (N, J, T1, outputs) at offsets z (N, J, G)."""
        return self.errors + torch.einsum("njg,njgto->njto", z, self.slopes)


def _errors(
    mlp: MLP, parameters: Parameters, bank: Mapping[str, Tensor], support: Support, causes: Tensor
) -> Tensor:
    """Return the errors (M, K, T1, outputs) of M windows under each of K causes (K, c)."""
    each, rows = Acting.stored(bank)(causes, mlp.sizes[0]), len(support.x)
    spaced = InputUpdate(*(p.repeat_interleave(rows, dim=0) for p in (each.scale, each.shift)))
    update = Update(mlp.no_update.layers, inputs=spaced)
    outputs = mlp.forward_updated(parameters, update, support.x).outputs
    return (outputs.reshape(len(causes), *support.y.shape) - support.y).movedim(1, 0)


@dataclass(frozen=True)
class Fit:
    """Hypotheses as the rows judge them.

    Args:
        z: offsets (N, J, G) of the causes.
        evidence: logarithmic likelihoods (N, T1, J) of the rows at these offsets.
        prior: logarithmic factor (N, J) on the probability of each hypothesis.
        errors: (N, J, T1, outputs).
    """

    z: Tensor
    evidence: Tensor
    prior: Tensor
    errors: Tensor


def fitted(
    linear: Linear, distribution: ErrorDistribution, weight: Tensor, noise: Tensor, z: Tensor
) -> Fit:
    """Return the hypotheses with their causes fitted to the rows.

    Args:
        linear: the errors of N tasks.
        distribution: of the errors.
        weight: (N, J, T1), how much a row counts for a hypothesis.
        noise: deviations (N, outputs) relative to those of the distribution.
        z: offsets that the rows' Student-t weights are taken at.
    """
    whitening = distribution.whitening / noise[:, :, None]  # (N, outputs, outputs)
    errors = torch.einsum("njto,nop->njtp", linear.errors, whitening)
    slopes = torch.einsum("njgto,nop->njgtp", linear.slopes, whitening)
    white = errors + torch.einsum("njg,njgto->njto", z, slopes)
    counts = weight * distribution.row_weight(white)
    weighted = slopes * counts[:, :, None, :, None]
    eye = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
    hessian = torch.einsum("njgto,njhto->njgh", weighted, slopes) + eye
    gradient = torch.einsum("njgto,njto->njg", weighted, errors)
    # A padded axis has no slope: its offset is 0, and it adds nothing to the determinant.
    z = linear.inside(-torch.linalg.solve(hessian, gradient))
    white = errors + torch.einsum("njg,njgto->njto", z, slopes)
    prior = -0.5 * (z.square().sum(dim=-1) + torch.logdet(hessian))
    return Fit(z, distribution.row_likelihood(white).mT, prior, linear.at(z))


def noise_of(fit: Fit, distribution: ErrorDistribution, holds: Tensor, noise: Tensor) -> Tensor:
    """Return the deviations (N, outputs) of the windows' errors, relative to the distribution's.

    Args:
        fit: with the errors of all hypotheses.
        distribution: of the errors in training.
        holds: (N, J, T1), the probability that each hypothesis holds in each row.
        noise: the deviations that the rows' Student-t weights are taken at.
    """
    whitening = distribution.whitening / noise[:, :, None]
    counts = holds * distribution.row_weight(torch.einsum("njto,nop->njtp", fit.errors, whitening))
    deviation = torch.linalg.inv(distribution.whitening @ distribution.whitening.mT).diagonal()
    squares = torch.einsum("njt,njto->no", counts, fit.errors.square()) / deviation
    found = (KNOWN + squares) / (KNOWN + holds.sum(dim=(1, 2)))[:, None]
    relative: Tensor = found.sqrt().clamp(QUIETEST, LOUDEST)
    return relative
