"""MAML-RL (Finn et al. 2017): a policy that a policy-gradient step adapts to a task.

    max_theta  E_M E_{tau' ~ p(tau' | theta')} [R(tau')],  theta' = theta + rate grad J^LR(theta)

Inner step: `inner_step`, thesis, eq. 20. Outer step: TRPO on the surrogate after it; its gradient
is of second order, through the inner step, and its constraint on the adapted policies. That is
LVC-TRPO in the thesis' words; with the estimator `maml` it is MAML-TRPO, as first implemented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, cat, split

from ros_mbmrl.learning.policies.meta_learner import (
    MetaConfig,
    MetaLearner,
    Sampled,
    formulation_two,
    inner_phases,
)
from ros_mbmrl.learning.policies.surrogates import ESTIMATORS
from ros_mbmrl.learning.policies.training import PolicyMethod, train_policy
from ros_mbmrl.learning.policies.trust_region import Stepped, TrustRegion, trust_region_step
from ros_mbmrl.learning.run import Progress, silent
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.inner_step import surrogate
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import TrainedPolicy


@dataclass(frozen=True)
class MAMLConfig(MetaConfig):
    """MAML-RL's settings. region: of the outer step."""

    region: TrustRegion = TrustRegion(max_kl=0.3)


def train_maml_rl(
    tasks: Tasks, config: MAMLConfig, out: Path | None = None, progress: Progress = silent
) -> TrainedPolicy:
    """Meta-train on situations that `tasks` draws. See `train_policy`."""
    return train_by_trust_region("maml_rl", tasks, config, out, progress)


def train_by_trust_region(
    name: str, tasks: Tasks, config: MAMLConfig, out: Path | None, progress: Progress
) -> TrainedPolicy:
    """Meta-train as `train_maml_rl`, under another method's name."""
    learner = MetaLearner(tasks, config, TrustRegionStep(config))
    curve = train_policy(name, tasks, config, learner, out, progress)
    return TrainedPolicy(learner.policy, learner.parameters, curve, learner.baselines)


class TrustRegionStep:
    """One TRPO step on theta."""

    def __init__(self, config: MAMLConfig) -> None:
        self._config = config

    def step(self, sampled: Sampled) -> tuple[Parameters, dict[str, float]]:
        """See `OuterStep.step`."""
        config = self._config
        stepped = outer_step(sampled, config.inner.rate, config.region, config.estimator)
        return unflatten(stepped.theta, sampled.parameters), {}

    def snapshot(self) -> dict[str, Tensor]:
        """See `OuterStep.snapshot`: it keeps nothing."""
        return {}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """See `OuterStep.restore`."""


def outer_step(
    sampled: Sampled, rate: float, region: TrustRegion, estimator: str = "likelihood_ratio"
) -> Stepped:
    """Take one TRPO step on theta, from the samples before and after the inner steps."""
    policy, chosen = sampled.policy, ESTIMATORS[estimator]

    def objective(theta: Tensor) -> tuple[Tensor, Tensor]:
        own = unflatten(theta, sampled.parameters)
        phases = inner_phases(sampled, own, rate, chosen.inner, theta.requires_grad)
        gain = surrogate(policy, phases[-1], sampled.after)
        if chosen.second:
            gain = gain + formulation_two(sampled, phases)
        was, seen = sampled.adapted.parameters, sampled.after.observations
        divergence = policy.divergence(was, phases[-1], seen)
        return gain.mean(), sampled.after.mean(divergence).mean()

    return trust_region_step(flatten(sampled.parameters), objective, region)


def flatten(parameters: Parameters) -> Tensor:
    """Return all parameters in one vector (P,)."""
    return cat([value.reshape(-1) for value in parameters.values()])


def unflatten(theta: Tensor, like: Parameters) -> Parameters:
    """Return the parameters of a vector (P,), shaped as those given."""
    parts = split(theta, [value.numel() for value in like.values()])
    return {n: part.reshape(like[n].shape) for n, part in zip(like, parts, strict=True)}


METHOD = PolicyMethod(MAMLConfig, train_maml_rl)
