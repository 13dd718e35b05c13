"""A policy as it came out of training, and its learning curve."""

from __future__ import annotations

from dataclasses import dataclass

from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.advantages import LinearBaseline
from ros_mbmrl.policies.gaussian import GaussianPolicy


@dataclass(frozen=True)
class CurvePoint:
    """One iteration. transitions: so far. mean_return: of its episodes, after any adaptation.

    mean_return_before: of the episodes that were adapted on; the same where nothing adapts.
    """

    transitions: int
    mean_return: float
    mean_return_before: float


@dataclass(frozen=True)
class TrainedPolicy:
    """A policy as it came out of training, and how it got there.

    baselines: of one that adapts, what the advantages of each inner step are counted from.
    """

    policy: GaussianPolicy
    parameters: Parameters
    curve: tuple[CurvePoint, ...]
    baselines: tuple[LinearBaseline, ...] = ()
