"""Bayesian last layer: exact regression of the residuals on the network's features.

The last layer's change has a Gaussian prior (ALPaCA: Harrison et al., Meta-Learning Priors for
Efficient Online Bayesian Regression, 2018, eq. 3 to 5, in kernel form, with rank T1 as all updates
here). Unknown quantities are averaged by their evidence: the noise of each output, and the moment
of the robot's last change (Adams and MacKay, Bayesian Online Changepoint Detection, 2007; rows
before a change count as another robot's). So the model follows a robot with little noise at once,
one with much noise slowly, and cuts a window that holds a change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.adaptation.bayes_context import BayesContext
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.tasks import spread
from ros_mbmrl.networks.updates import LayerUpdate, Update

NOISES = (0.01, 0.03, 0.1, 0.3, 1.0)  # standard deviations of an output, normalised
SHORTEST = 2  # rows after a change, at least


@dataclass(frozen=True)
class LastLayer(UpdateRule):
    """An update of the last layer by Bayesian regression.

    Args:
        signal, bias_signal: prior deviations of an output by weights and by bias, normalised.
        change: prior probability that the robot changed inside of the window.
        limit: normalised residuals are clipped at +-limit.
    """

    signal: float = 0.1
    bias_signal: float = 1.0
    change: float = 0.05
    limit: float = 3.0

    def __post_init__(self) -> None:
        if not (self.signal > 0 and self.bias_signal > 0 and self.limit > 0):
            raise ValueError("signal, bias_signal, limit: expected numbers above 0")
        if not 0 <= self.change < 1:
            raise ValueError(f"change: expected in [0, 1), got {self.change}")

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Return the last layer's change by the posterior mean."""
        return self.regress(mlp, parameters, support, mlp.no_update)

    def regress(self, mlp: MLP, parameters: Parameters, support: Support, start: Update) -> Update:
        """Return the posterior mean's change from the prior updated by `start`."""
        predicted, inputs, _ = support.forward(mlp, parameters, start)
        tasks = len(support.weight)
        wanted, predicted, h = (spread(p, tasks) for p in (support.y, predicted, inputs[-1]))
        residual = (wanted - predicted).clamp(-self.limit, self.limit)
        weight = (support.weight > 0).to(residual.dtype)
        power = (h.square().sum(-1, keepdim=True) * support.share).sum(1, keepdim=True)
        scale = self.signal / power.clamp_min(1e-6).sqrt()
        features = h * scale
        kernel = features @ features.mT + self.bias_signal**2
        alpha = self._posterior(kernel, residual, weight)  # (N, T, outputs)
        bias = self.bias_signal**2 * alpha.sum(dim=1, keepdim=True)
        own = LayerUpdate(features * scale, alpha, bias)
        return replace(start, layers=(*start.layers[:-1], start.layers[-1].plus(own)))

    def _posterior(self, kernel: Tensor, residual: Tensor, weight: Tensor) -> Tensor:
        """Return (K + noise)^-1 r, averaged over noises and moments of change by their evidence."""
        length = residual.shape[1]
        recent = [length]
        while self.change > 0 and recent[-1] // 2 >= SHORTEST:
            recent.append(recent[-1] // 2)
        age = torch.arange(length, 0, -1, device=weight.device)
        kept = torch.stack([(age <= n).to(weight.dtype) for n in recent])[:, None, :, None]
        after, alphas = _evidence(kernel, residual, weight * kept)
        before, _ = _evidence(kernel, residual, weight * (1 - kept[1:]))
        total = after
        total[1:] += before + math.log(max(self.change, 1e-9) / max(1, len(recent) - 1))
        share = torch.softmax(total, dim=0)  # (C, N)
        return (share[:, :, None, None] * alphas).sum(dim=0)


def _evidence(kernel: Tensor, residual: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return log evidence (C, N), averaged over noises, and weights of the rows (C, N, T, outputs).

    kernel: (N, T, T). residual: (N, T, outputs). mask: (C, N, T, 1), rows that count.
    """
    # eigh raises on non-finite values, so they become 0 here; the guard refuses the result.
    values, vectors = torch.linalg.eigh((mask * kernel * mask.mT).nan_to_num(0.0, 0.0, 0.0))
    projected = vectors.mT @ (mask * residual)  # (C, N, T, outputs)
    noise = projected.new_tensor(NOISES).square()
    spread = values.clamp_min(0.0)[..., None, None] + noise  # (C, N, T, 1, noises)
    fit = projected[..., None].square() / spread + spread.log()
    absent = (1 - mask).sum(dim=(2, 3))[..., None, None] * noise.log()  # rows that do not count
    log_evidence = -0.5 * (fit.sum(dim=2) - absent)  # (C, N, outputs, noises)
    share = torch.softmax(log_evidence, dim=-1)
    shrink = (share[:, :, None] / spread).sum(dim=-1)  # (C, N, T, outputs)
    alpha = vectors @ (shrink * projected)
    total = (torch.logsumexp(log_evidence, dim=-1) - math.log(len(NOISES))).sum(dim=-1)
    return total, alpha


@dataclass(frozen=True)
class BayesContextLastLayer(LastLayer):
    """`LastLayer` on top of a Bayesian context, with which the model is trained.

    hidden, size: of the encoder.
    """

    hidden: int = 64
    size: int = 16
    meta_trained: bool = True

    @property
    def training_rule(self) -> BayesContext:
        """Return the encoder alone."""
        return BayesContext(self.hidden, self.size)

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """Return the encoder's parameters."""
        return self.training_rule.init(mlp, parameters, generator)

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Return the encoder's update followed by the posterior mean's change."""
        conditioned = self.training_rule.update(mlp, parameters, support)
        return self.regress(mlp, parameters, support, conditioned)
