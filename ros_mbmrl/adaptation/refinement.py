"""Refinement: the values of the winning hypothesis's causes, by Gauss-Newton on the window.

The bank knows a few levels of each cause; a motor that gives .37 is nearest to "weak". Within a
hypothesis its causes, all of a group or of a vector, are free: the maximum a posteriori is

    min over z: sum over rows of w |W e(z)|^2 + |z|^2,    causes = level + spread * z,

with w the probability that the hypothesis holds in a row times the row's Student-t weight times
the share of independent rows, W the whitening of errors, and a standard normal prior around the
level. Errors of a learned model resemble those of the step before (contacts): counted as
independent they outweigh the prior, and the values follow the errors. Each step solves it for
errors that are linear in z (Gauss-Newton), with weights as they are (iteratively reweighted least
squares), and stays in the causes' ranges.

Most faults are at a level (a dead motor gives nothing): level and neighbourhood are two models, a
priori equally probable, and the result is their mean by posterior probability. The logarithm of
the neighbourhood's Bayes factor is (g^T H^-1 g - log |H|) / 2 (Laplace's method), with g and H the
gradient and the Gauss-Newton Hessian of half the objective at the level.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ros_mbmrl.adaptation.bank import SPREAD, Acting
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.error_distribution import ErrorDistribution
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.tasks import spread
from ros_mbmrl.networks.updates import InputUpdate, Update

NUDGE = 0.02  # of a difference quotient, in units of the spread


def refined(
    mlp: MLP,
    parameters: Parameters,
    bank: Mapping[str, Tensor],
    support: Support,
    best: Tensor,
    holds: Tensor,
    steps: int,
) -> Tensor:
    """Return the causes (N, c) of each task.

    Args:
        mlp: the network.
        parameters: of the network.
        bank: as `Bank.parameters` stores it, with the distribution of errors.
        support: the windows.
        best: (N,), the winning hypothesis.
        holds: (N, T1), the probability that it holds in each row.
        steps: of Gauss-Newton.
    """
    level, axes = bank["values"][best], bank["axes"][best]
    values = level.clone()
    free = axes.shape[1]
    if not free or not steps:
        return values
    distribution = ErrorDistribution.of(bank)
    axes = axes * (SPREAD * (bank["high"] - bank["low"]))
    weight = holds * support.weight[..., 0] * bank.get("independent", 1.0)
    eye = torch.eye(free, dtype=values.dtype, device=values.device)
    sure = torch.zeros(())
    for k in range(steps):
        nudged = [values, *(values + NUDGE * axes[:, g] for g in range(free))]
        errors = _errors(mlp, parameters, bank, support, nudged)  # (1 + G, N, T1, outputs)
        counts = (weight * distribution.weight(errors[0]))[..., None]
        white = errors @ distribution.whitening
        slopes = (white[1:] - white[0]) / NUDGE
        z = along(axes, values - level)
        hessian = torch.einsum("gnto,hnto->ngh", slopes * counts, slopes) + eye
        gradient = torch.einsum("gnto,nto->ng", slopes * counts, white[0]) + z
        step = torch.linalg.solve(hessian, gradient)
        if k == 0:  # at the level itself, where z = 0
            gain = torch.einsum("ng,ng->n", gradient, step) - torch.logdet(hessian)
            sure = torch.sigmoid(0.5 * gain)[:, None]
        values = values - torch.einsum("ng,ngc->nc", step, axes)
        values = values.clamp(bank["low"], bank["high"])
    return torch.lerp(level, values, sure)


def along(axes: Tensor, offset: Tensor) -> Tensor:
    """Return the coordinates z (N, G) of offsets (N, c) along axes (N, G, c)."""
    square = axes.square().sum(dim=-1)
    return torch.einsum("ngc,nc->ng", axes, offset) / square.clamp_min(1e-12)


def _errors(
    mlp: MLP,
    parameters: Parameters,
    bank: Mapping[str, Tensor],
    support: Support,
    several: list[Tensor],
) -> Tensor:
    """Return the errors (K, N, T1, outputs) of all tasks under each of K causes (N, c)."""
    inputs: InputUpdate = Acting.stored(bank)(torch.cat(several), mlp.sizes[0])
    update = Update(mlp.no_update.layers, inputs=inputs)
    outputs = mlp.forward_updated(parameters, update, support.x).outputs
    tasks = len(support.weight)
    outputs = outputs.reshape(len(several), tasks, *outputs.shape[1:])
    return outputs - spread(support.y, tasks)
