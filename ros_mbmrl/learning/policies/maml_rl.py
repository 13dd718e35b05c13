"""MAML-RL (Finn et al. 2017): a policy that a policy-gradient step adapts to a task.

    max_theta  E_M E_{tau' ~ p(tau' | theta')} [R(tau')],  theta' = theta + rate grad J^LR(theta)

Inner step: `inner_step`, thesis, eq. 20. Outer step: TRPO on the surrogate after it; its gradient
is of second order, through the inner step, and its constraint on the adapted policies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ros_mbmrl.learning.policies.training import train_policy
from ros_mbmrl.learning.policies.trust_region import Stepped, TrustRegion, trust_region_step
from ros_mbmrl.learning.run import LEARNED
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.adapt import (
    AdaptedPolicies,
    InnerConfig,
    adapt,
    practise,
    repeated,
    with_goals,
)
from ros_mbmrl.policies.advantages import LinearBaseline
from ros_mbmrl.policies.gaussian import GaussianPolicy, for_tasks
from ros_mbmrl.policies.inner_step import Experience, inner_step, surrogate
from ros_mbmrl.policies.moments import Moments
from ros_mbmrl.policies.sampling import Tasks, experience_of
from ros_mbmrl.policies.trained import TrainedPolicy


@dataclass(frozen=True)
class MAMLConfig:
    """MAML-RL's settings.

    budget: transitions in all, those before the inner steps included. tasks: drawn an iteration,
    each for `inner.episodes` episodes before every inner step and as many after the last.
    log_std: of the first actions.
    """

    budget: int = 60_000
    tasks: int = 5
    inner: InnerConfig = field(default_factory=InnerConfig)
    region: TrustRegion = TrustRegion(max_kl=0.3)
    hidden: tuple[int, ...] = (64, 64)
    log_std: float = -0.5
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.budget, self.tasks) < 1:
            raise ValueError("budget, tasks: expected at least 1")

    @property
    def batch(self) -> int:
        """Return the transitions of one iteration."""
        inner = self.inner
        return self.tasks * inner.episodes * inner.horizon * (inner.steps + 1)


def train_maml_rl(tasks: Tasks, config: MAMLConfig, out: Path | None = None) -> TrainedPolicy:
    """Meta-train on situations that `tasks` draws. See `train_policy`."""
    learner = MAMLLearner(tasks, config)
    curve = train_policy("maml_rl", tasks, config, learner, out)
    return TrainedPolicy(learner.policy, learner.parameters, curve, learner.baselines)


class MAMLLearner:
    """Draw tasks, adapt to them, improve the parameters that were adapted from."""

    def __init__(self, tasks: Tasks, config: MAMLConfig) -> None:
        self.rate = 1.0  # not used: the trust region says how far a step goes
        self._config, self._iteration = config, 0
        self._moments = Moments.none(tasks.observations)  # of all observations so far
        mlp = MLP((tasks.observations, *config.hidden, len(tasks.robot.spec.action)))
        self.policy = GaussianPolicy(mlp, self._moments.mean.float(), self._moments.std)
        generator = torch.Generator().manual_seed(config.seed)
        self.parameters = self.policy.init(generator, config.log_std)
        self.baselines: tuple[LinearBaseline, ...] = ()

    def update(self, store: Tasks, generator: torch.Generator) -> dict[str, float]:
        """Make one iteration, whose draws depend on the seed and its number only."""
        config, inner, moments = self._config, self._config.inner, self._moments
        rng = np.random.default_rng((config.seed, self._iteration))
        situations, seeds = store.drawn(rng, config.tasks)
        if store.goals:
            situations = with_goals(situations, store.make(situations, seeds).goals)
        make = repeated(store.make, situations, inner.episodes)
        policy = replace(self.policy, mean=moments.mean.float(), std=moments.std)
        adapted = adapt(policy, self.parameters, inner, make, seeds)
        after = practise(policy, adapted.parameters, inner, make, seeds, phase=inner.steps)
        experience, _ = experience_of(policy, after, inner.discounts)
        own = (policy, self.parameters, adapted, experience)
        stepped = outer_step(*own, inner.rate, config.region)
        phases = (*adapted.episodes, after)
        seen = torch.cat([each.observations.flatten(0, 2) for each in phases])
        self.policy, self.baselines = policy, adapted.baselines
        self.parameters = unflatten(stepped.theta, self.parameters)
        self._moments = moments.merged(seen)
        self._iteration += 1
        return {
            "before": float(phases[0].returns.mean()),
            "after": float(after.returns.mean()),
        }

    def snapshot(self) -> dict[str, Tensor]:
        """Return parameters, normalisation, baselines and the iteration's number."""
        kept = tensor_file.flatten(LEARNED, self.parameters)
        kept |= {"policy/mean": self.policy.mean, "policy/std": self.policy.std}
        kept |= {"moments/mean": self._moments.mean, "moments/variance": self._moments.variance}
        kept |= {f"baseline/{k}": each.weights for k, each in enumerate(self.baselines)}
        return kept | {"iteration": torch.tensor(self._iteration)}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot."""
        self._iteration = int(tensors["iteration"])
        count = self._iteration * self._config.batch
        self._moments = Moments(tensors["moments/mean"], tensors["moments/variance"], count)
        mean, std = tensors["policy/mean"], tensors["policy/std"]
        self.policy = replace(self.policy, mean=mean, std=std)
        weights = tensor_file.unflatten("baseline", tensors)
        self.baselines = tuple(LinearBaseline(weights[str(k)]) for k in range(len(weights)))
        parameters = tensor_file.unflatten(LEARNED, tensors)
        self.parameters = {name: parameters[name] for name in self.parameters}  # theta's order


def outer_step(
    policy: GaussianPolicy,
    parameters: Parameters,
    adapted: AdaptedPolicies,
    after: Experience,
    rate: float,
    region: TrustRegion,
) -> Stepped:
    """Take one TRPO step on theta, from the experience before and `after` the inner steps."""

    def objective(theta: Tensor) -> tuple[Tensor, Tensor]:
        own = for_tasks(unflatten(theta, parameters), len(after.log_probs))
        for experience in adapted.experiences:
            own = inner_step(policy, own, experience, rate, differentiable=theta.requires_grad)
        divergence = policy.divergence(adapted.parameters, own, after.observations)
        return surrogate(policy, own, after).mean(), divergence.mean()

    return trust_region_step(flatten(parameters), objective, region)


def flatten(parameters: Parameters) -> Tensor:
    """Return all parameters in one vector (P,)."""
    return torch.cat([value.reshape(-1) for value in parameters.values()])


def unflatten(theta: Tensor, like: Parameters) -> Parameters:
    """Return the parameters of a vector (P,), shaped as those given."""
    parts = torch.split(theta, [value.numel() for value in like.values()])
    return {n: part.reshape(like[n].shape) for n, part in zip(like, parts, strict=True)}
