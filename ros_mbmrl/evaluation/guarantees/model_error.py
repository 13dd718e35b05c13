"""Estimates of a model's error on held-out transitions: M3PO, definition 1 and appendix A.6."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.networks.mlp import Parameters

SMALLEST = 1e-12  # a variance that a likelihood is counted with


@dataclass(frozen=True)
class ModelError:
    """Errors of a model on held-out transitions.

    Args:
        likelihood: negative log-likelihood of the changes of state, normalised, a number each and
            transition [nat]; what A.6 draws for epsilon_m. It is no distance: it may be below 0.
        variation: estimate of epsilon_m, the largest over time of the mean total variation
            distance; see `variations` for the noise that it is counted with.
        mean_variation: the mean over all transitions.
        distance: largest Wasserstein distance of the next state, in deviations of the data.
        mean_distance: its mean.
        transitions: that were judged.
    """

    likelihood: float
    variation: float
    mean_variation: float
    distance: float
    mean_distance: float
    transitions: int


@dataclass(frozen=True)
class Predicted:
    """Changes that E members predict of M transitions, normalised.

    means: (E, M, dc). variances: of Gaussian heads; None without.
    """

    means: Tensor
    variances: Tensor | None


@torch.no_grad()
def predicted(model: DynamicsModel, parameters: Parameters, data: Transitions) -> Predicted:
    """Return what each member predicts of the transitions; a single network is one member."""
    x = model.normalizer.inputs(model.robot.features(data.states), data.actions)[None]
    mlp = model.mlp
    if not isinstance(mlp, Ensemble):
        return Predicted(mlp.forward(parameters, x), None)
    means, variances = mlp.moments(parameters, mlp.no_update, x)
    return Predicted(means[:, 0], None if variances is None else variances[:, 0])


def model_error(
    model: DynamicsModel,
    parameters: Parameters,
    training: Sequence[Rollout],
    held: Sequence[Rollout],
    noise: float,
    scale: Tensor,
) -> ModelError:
    """Return the errors of a model on held-out rollouts.

    Args:
        model, parameters: to judge.
        training: rollouts whose errors tell the variance of a model that predicts none.
        held: rollouts that the model was not fitted to.
        noise: deviation of the system's own noise, see `variations`.
        scale: deviations of the state (ds,), the unit of distances.

    Raises:
        UserError: nothing is held out, or nothing of it is plausible.
    """
    if not held:
        raise UserError("data: expected held-out rollouts to judge the model by, got none")
    data, fitted = Transitions.of(model.robot, held), Transitions.of(model.robot, training or held)
    kept = data.keep[:, 0] > 0
    if not kept.any():
        raise UserError("data: expected plausible transitions to judge the model by, got none")
    found = predicted(model, parameters, data)
    errors = model.normalizer.changes(data.changes) - found.means
    own = model.normalizer.changes(fitted.changes) - predicted(model, parameters, fitted).means
    spread = own[:, fitted.keep[:, 0] > 0].mean(dim=0).square().mean(dim=0)
    apart = variations(errors, found.variances, noise)
    away = distances(model, found, data, scale)
    heads = found.variances
    of_kept = Predicted(found.means[:, kept], None if heads is None else heads[:, kept])
    return ModelError(
        likelihood(errors[:, kept], of_kept, spread),
        largest_over_time(apart, kept, held),
        float(apart[kept].mean()),
        float(away[kept].max()),
        float(away[kept].mean()),
        int(kept.sum()),
    )


def likelihood(errors: Tensor, found: Predicted, spread: Tensor) -> float:
    """Return the negative log-likelihood of one Gaussian a transition, a number each [nat].

    Its mean is that of the members. Its variance is what Gaussian heads predict and the members'
    disagreement; of others, that of their errors on training data.

    Args:
        errors: of the members, normalised, (E, M, dc).
        found: that they predict.
        spread: variance of the errors on training data (dc,).
    """
    variance = spread.expand(errors.shape[1:])
    if found.variances is not None:
        variance = found.variances.mean(dim=0) + found.means.var(dim=0, correction=0)
    variance = variance.clamp_min(SMALLEST)
    wrong = errors.mean(dim=0).square() / variance
    return float(0.5 * (wrong + variance.log() + math.log(2 * math.pi)).mean())


def variations(errors: Tensor, variances: Tensor | None, noise: float) -> Tensor:
    """Return total variation distances (M,) between system and model, as far as data tell.

    A system without noise is 1 away from every model that is not exact. So the system is taken to
    have Gaussian noise around what was observed; a model without Gaussian heads has the same noise,
    and the distance of two such Gaussians is erf(|error| / (2 sqrt(2) noise)). With heads it is
    bounded by the KL divergence, see `bounded`. That of a mixture of members is at most their mean.

    Args:
        errors: normalised, (E, M, dc).
        variances: that heads predict, normalised, (E, M, dc); None: as the system's.
        noise: deviation of each number of the change, in its own deviation in the data; 0: none.
    """
    if noise == 0:
        return (errors.abs().amax(dim=(0, 2)) > 0).float()
    size = errors.square().sum(dim=-1)
    if variances is None:
        return torch.erf(size.sqrt() / (2 * math.sqrt(2) * noise)).mean(dim=0)
    ratio = noise**2 / variances
    divergence = 0.5 * (ratio - 1 - ratio.log() + errors.square() / variances).sum(dim=-1)
    return bounded(divergence).mean(dim=0)


def bounded(divergence: Tensor) -> Tensor:
    """Return a bound on the total variation distance for KL divergences: the smaller of two.

    Pinsker's sqrt(KL / 2), and sqrt(1 - exp(-KL)) of Bretagnolle and Huber, which stays below 1.
    """
    divergence = divergence.clamp_min(0.0)
    far: Tensor = -torch.expm1(-divergence)
    return torch.minimum((divergence / 2).sqrt(), far.sqrt())


def distances(model: DynamicsModel, found: Predicted, data: Transitions, scale: Tensor) -> Tensor:
    """Return Wasserstein distances (M,) of the next state, in deviations of the data.

    Equal noise on both sides changes nothing; of a mixture it is at most the members' mean.
    """
    changes = model.normalizer.denormalise(found.means)
    reached = torch.stack([model.robot.advance(data.states, change) for change in changes])
    apart = (reached - data.next_states) / scale
    return apart.square().sum(dim=-1).sqrt().mean(dim=0)


def largest_over_time(values: Tensor, kept: Tensor, rollouts: Sequence[Rollout]) -> float:
    """Return the largest mean over rollouts at any time, as definition 1 has it.

    Args:
        values: a number a transition, (M,), rollout after rollout.
        kept: which of them count, (M,).
        rollouts: that they are of.
    """
    steps = torch.cat([torch.arange(len(each)) for each in rollouts])[kept]
    count = int(steps.max()) + 1
    sums = torch.zeros(count).index_add(0, steps, values[kept])
    counts = torch.zeros(count).index_add(0, steps, torch.ones(len(steps)))
    return float((sums / counts.clamp_min(1)).max())
