"""A policy as it came out of training, and its learning curve."""

from __future__ import annotations

from dataclasses import dataclass

from ros_mbmrl.dynamics.latent.base import ContextualModel
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.advantages import LinearBaseline
from ros_mbmrl.policies.amortised import Latent
from ros_mbmrl.policies.critics import TwinCritics
from ros_mbmrl.policies.mlp_policy import MLPPolicy


@dataclass(frozen=True)
class CurvePoint:
    """One iteration. transitions: so far. mean_return: of its episodes, after any adaptation.

    mean_return_before: of the episodes that were adapted on; the same where nothing adapts.
    """

    transitions: int
    mean_return: float
    mean_return_before: float


@dataclass(frozen=True)
class ImaginedPoint(CurvePoint):
    """One iteration of Algorithm 1 or 2. mean_return: of the policy without noise, after it.

    mean_return_before: of the episodes that it gathered, exploring. imagined_return: of the policy
    without noise in the models, so that imagined_return - mean_return is their over-optimism.
    updates: that the policy got. improved: eq. 5 of the last validation.
    """

    imagined_return: float
    updates: int
    improved: float


@dataclass(frozen=True)
class TrainedPolicy:
    """A policy as it came out of training, and how it got there.

    baselines: of one that adapts, what the advantages of each inner step are counted from. model:
    of one that learned in models, the last of them, and its parameters. before_update: whether it
    was learned to be adapted from, and acts before any adaptation all the same (MB-MPO). critics:
    of an actor-critic with a model, with their parameters. contextual: of one that learned in a
    contextual model, that and its parameters. latent: of an amortised one, what tells it its task.
    """

    policy: MLPPolicy
    parameters: Parameters
    curve: tuple[CurvePoint, ...]
    baselines: tuple[LinearBaseline, ...] = ()
    model: tuple[DynamicsModel, Parameters] | None = None
    before_update: bool = False
    critics: tuple[TwinCritics, Parameters] | None = None
    contextual: tuple[ContextualModel, Parameters] | None = None
    latent: Latent | None = None
