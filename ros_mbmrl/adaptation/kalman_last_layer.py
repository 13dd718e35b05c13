"""Kalman last layer: a bias and a gain of each predicted change, tracked by Kalman filters.

The prior's predicted change y becomes y + b + g y, so the update stays in the last layer: g scales
the columns of its weights, b shifts its bias. Two numbers a change, since one step of a real robot
says little: of a last layer of 128 weights a change, a window of white noise would fit the noise.

Each change has filters of its own (Kalman, A New Approach to Linear Filtering and Prediction
Problems, 1960), a mixture over run lengths (Adams and MacKay, Bayesian Online Changepoint
Detection, 2007): one filter begins anew at every row, with a small probability that the robot
changed there, and the least probable one is dropped. One more hypothesis is that nothing is
different from the prior; it has no parameters, and wins where the evidence is weak. So the window
forgets by evidence. The noise is measured from the window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.tasks import spread
from ros_mbmrl.networks.updates import LayerUpdate, Update

LEAST_NOISE = 0.01  # standard deviation of an output, normalised
PRIOR_PAIRS = 2.0  # pairs of rows that the first guess of the noise counts for
NOTHING = 0  # number of the hypothesis that nothing is different


class Filters(NamedTuple):
    """Kalman filters of N tasks, K hypotheses and O outputs; every part is (N, K, O).

    Args:
        bias, gain: means.
        bias_variance, gain_variance, covariance: the parts of the 2 x 2 covariance, which are
            written out, since a product of such small matrices costs ten times as much.
        log_weight: logarithms of the probabilities.
    """

    bias: Tensor
    gain: Tensor
    bias_variance: Tensor
    gain_variance: Tensor
    covariance: Tensor
    log_weight: Tensor

    def where(self, wanted: Tensor, other: Filters) -> Filters:
        """Return these filters where `wanted` (broadcast), the others elsewhere."""
        return Filters(*(new.where(wanted, old) for new, old in zip(self, other, strict=True)))


@dataclass(frozen=True)
class KalmanLastLayer(UpdateRule):
    """An update of the last layer by the mean of the mixture.

    Args:
        signal: prior deviation of a gain.
        bias_signal: prior deviation of a bias, normalised.
        change: prior probability that the robot changes within a period.
        nothing: prior probability that nothing is different.
        hypotheses: number of filters that are kept: no difference, one that begins, older ones.
        limit: normalised residuals are clipped at +-limit.
    """

    signal: float = 0.2
    bias_signal: float = 0.2
    change: float = 0.02
    nothing: float = 0.5
    hypotheses: int = 8
    limit: float = 3.0

    def __post_init__(self) -> None:
        if not (self.signal > 0 and self.bias_signal > 0 and self.limit > 0):
            raise ValueError("signal, bias_signal, limit: expected numbers above 0")
        for name in ("change", "nothing"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}: expected in [0, 1), got {getattr(self, name)}")
        if not (isinstance(self.hypotheses, int) and self.hypotheses >= 3):
            raise ValueError(f"hypotheses: expected 3 or more, got {self.hypotheses}")

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Return the last layer's change by the mixture's mean bias and gain."""
        tasks = len(support.weight)
        predicted = support.forward(mlp, parameters, mlp.no_update).outputs
        wanted, predicted = (spread(part, tasks) for part in (support.y, predicted))
        residual = (wanted - predicted).clamp(-self.limit, self.limit)
        counts = support.weight > 0
        filters = self.filtered(predicted, residual, counts, noise_of(residual, counts))
        share = torch.softmax(filters.log_weight, dim=1)
        bias, gain = ((share * mean).sum(dim=1) for mean in (filters.bias, filters.gain))  # (N, O)
        # x (W + W G) + b + g b + bias, with G the diagonal of the gains
        last = mlp.layers - 1
        weight, shift = parameters[f"w{last}"], parameters[f"b{last}"]
        moved = (bias + gain * shift)[:, None]
        own = LayerUpdate(weight.mT[None], torch.diag_embed(gain), moved)
        return Update((*mlp.no_update.layers[:-1], own))

    def filtered(
        self, predicted: Tensor, residual: Tensor, counts: Tensor, noise: Tensor
    ) -> Filters:
        """Return the filters after the last row.

        Args:
            predicted, residual: (N, T, O), normalised.
            counts: (N, T, 1), whether a row counts.
            noise: variance of each output (N, O).
        """
        start = self._start(residual)
        filters = start
        rows = (part[:, :, None].unbind(1) for part in (predicted, residual, counts))
        for y, r, known in zip(*rows, strict=True):  # (N, 1, O), (N, 1, O), (N, 1, 1)
            after = _corrected(self._changed(filters, start), y, r, noise[:, None])
            filters = after.where(known, filters)
        return filters

    def _start(self, residual: Tensor) -> Filters:
        """Return filters before the first row: nothing different, one at its prior, empty ones."""
        tasks, _, outputs = residual.shape
        zero = residual.new_zeros(tasks, self.hypotheses, outputs)
        different = torch.ones_like(zero)
        different[:, NOTHING] = 0.0
        log_weight = torch.full_like(zero, -math.inf)
        log_weight[:, NOTHING] = math.log(self.nothing) if self.nothing else -math.inf
        log_weight[:, NOTHING + 1] = math.log1p(-self.nothing)
        bias_variance, gain_variance = self.bias_signal**2, self.signal**2
        return Filters(
            zero, zero, bias_variance * different, gain_variance * different, zero, log_weight
        )

    def _changed(self, filters: Filters, start: Filters) -> Filters:
        """Return the filters with one that begins here in the place of the least probable.

        A run goes on with probability 1 - change (Adams and MacKay, eq. 3 to 5, constant hazard).
        """
        if self.change == 0:
            return filters
        weight = filters.log_weight
        worst = weight[:, NOTHING + 1 :].argmin(dim=1, keepdim=True) + NOTHING + 1
        fresh = torch.zeros_like(weight, dtype=torch.bool).scatter(1, worst, True)
        begins = math.log(self.change) + torch.logsumexp(weight, dim=1, keepdim=True)
        begun = start._replace(log_weight=begins.expand_as(weight))
        older = filters._replace(log_weight=weight + math.log1p(-self.change))
        return begun.where(fresh, older)


def noise_of(residual: Tensor, counts: Tensor) -> Tensor:
    """Return the variance (N, O) of white noise in residuals (N, T, O) that drift or jump.

    Half the mean square of successive differences (von Neumann, Distribution of the Ratio of the
    Mean Square Successive Difference to the Variance, 1941), which a bias does not enter and a
    change enters once. The mean square residual is its upper bound, and the guess for few rows.
    counts: (N, T, 1).
    """
    weight = counts.to(residual.dtype)
    square = (weight * residual.square()).sum(dim=1) / weight.sum(dim=1).clamp_min(1.0)
    pair = weight[:, 1:] * weight[:, :-1]
    half = 0.5 * (pair * residual.diff(dim=1).square()).sum(dim=1)
    measured = (half + PRIOR_PAIRS * square) / (pair.sum(dim=1) + PRIOR_PAIRS)
    return torch.minimum(measured, square).clamp_min(LEAST_NOISE**2)


def _corrected(filters: Filters, predicted: Tensor, residual: Tensor, noise: Tensor) -> Filters:
    """Return the filters after a row, weighed by how probable each found it.

    The residual is measured through (1, y): residual = bias + gain y + noise. All are (N, 1, O).
    """
    bias, gain, bias_variance, gain_variance, covariance, log_weight = filters
    y = predicted
    from_bias = bias_variance + covariance * y  # P (1, y)
    from_gain = covariance + gain_variance * y
    variance = from_bias + from_gain * y + noise  # (1, y) P (1, y) + noise
    error = residual - bias - gain * y
    log_weight = log_weight - 0.5 * (error.square() / variance + variance.log())
    surprise = error / variance
    return Filters(
        bias + from_bias * surprise,
        gain + from_gain * surprise,
        bias_variance - from_bias.square() / variance,
        gain_variance - from_gain.square() / variance,
        covariance - from_bias * from_gain / variance,
        log_weight - torch.logsumexp(log_weight, dim=1, keepdim=True),
    )
