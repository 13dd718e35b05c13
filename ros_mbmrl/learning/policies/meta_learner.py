"""The loop of gradient-based meta-RL: draw tasks, adapt to them, improve what was adapted from.

    max_theta  E_M E_{tau' ~ p(tau' | theta')} [R(tau')],  theta' = theta + rate grad J(theta)

Methods differ in the outer step, and in the estimator of its gradient (`surrogates`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ros_mbmrl.learning.policies.surrogates import ESTIMATORS, pre_update_credit
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
from ros_mbmrl.policies.inner_step import Experience, Objective, inner_step, surrogate
from ros_mbmrl.policies.moments import Moments
from ros_mbmrl.policies.sampling import Tasks, experience_of


@dataclass(frozen=True)
class MetaConfig:
    """Settings that all meta-learners of policies have.

    budget: transitions in all, those before the inner steps included; an episode that ends early
    counts whole. tasks: drawn an iteration, each for `inner.episodes` episodes before every inner
    step and as many after the last.
    log_std: of the first actions. estimator: of the meta-gradient, one of `ESTIMATORS`.
    """

    budget: int = 60_000
    tasks: int = 5
    inner: InnerConfig = field(default_factory=InnerConfig)
    hidden: tuple[int, ...] = (64, 64)
    log_std: float = -0.5
    estimator: str = "likelihood_ratio"
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.budget, self.tasks) < 1:
            raise ValueError("budget, tasks: expected at least 1")
        if self.estimator not in ESTIMATORS:
            names = ", ".join(ESTIMATORS)
            raise ValueError(f"estimator: expected one of {names}, got '{self.estimator}'")
        if ESTIMATORS[self.estimator].second and self.inner.steps < 1:
            raise ValueError(f"estimator '{self.estimator}': expected at least 1 inner step")

    @property
    def batch(self) -> int:
        """Return the transitions of one iteration."""
        inner = self.inner
        return self.tasks * inner.episodes * inner.horizon * (inner.steps + 1)


@dataclass(frozen=True)
class Sampled:
    """Samples of one iteration, from N tasks.

    parameters: theta_o, that was adapted from. adapted: to each task. after: experience of the
    adapted policies. returns: theirs, a mean over each task's episodes (N,).
    """

    policy: GaussianPolicy
    parameters: Parameters
    adapted: AdaptedPolicies
    after: Experience
    returns: Tensor

    @property
    def credit(self) -> Tensor:
        """Return the returns (N,) less their mean over tasks, over their deviation."""
        apart = self.returns - self.returns.mean()
        return apart / (self.returns.std(correction=0) + 1e-8)


class OuterStep(Protocol):
    """Improve theta by the samples of one iteration."""

    def step(self, sampled: Sampled) -> tuple[Parameters, dict[str, float]]:
        """Return the new theta, and scalars to log."""

    def snapshot(self) -> dict[str, Tensor]:
        """Return all that the next step needs besides samples, under `outer/`."""

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot."""


class MetaLearner:
    """Draw tasks, adapt to them, improve the parameters that were adapted from."""

    def __init__(self, tasks: Tasks, config: MetaConfig, outer: OuterStep) -> None:
        self.rate = 1.0  # not used: nothing depends on where the run ends
        self._config, self._outer, self._iteration = config, outer, 0
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
        returns = after.returns.mean(-1)
        sampled = Sampled(policy, self.parameters, adapted, experience, returns)
        self.parameters, scalars = self._outer.step(sampled)
        phases = (*adapted.episodes, after)
        seen = torch.cat([each.seen for each in phases])
        self.policy, self.baselines = policy, adapted.baselines
        self._moments = moments.merged(seen)
        self._iteration += 1
        return {
            "before": float(phases[0].returns.mean()),
            "after": float(after.returns.mean()),
            **scalars,
        }

    def snapshot(self) -> dict[str, Tensor]:
        """Return parameters, normalisation, baselines, the numbers so far, the outer step's."""
        kept = tensor_file.flatten(LEARNED, self.parameters)
        kept |= {"policy/mean": self.policy.mean, "policy/std": self.policy.std}
        kept |= {"moments/mean": self._moments.mean, "moments/variance": self._moments.variance}
        kept |= {f"baseline/{k}": each.weights for k, each in enumerate(self.baselines)}
        counts = torch.tensor([self._iteration, self._moments.count])
        return kept | self._outer.snapshot() | {"counts": counts}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot."""
        self._iteration, count = tensors["counts"].tolist()
        self._moments = Moments(tensors["moments/mean"], tensors["moments/variance"], count)
        mean, std = tensors["policy/mean"], tensors["policy/std"]
        self.policy = replace(self.policy, mean=mean, std=std)
        weights = tensor_file.unflatten("baseline", tensors)
        self.baselines = tuple(LinearBaseline(weights[str(k)]) for k in range(len(weights)))
        parameters = tensor_file.unflatten(LEARNED, tensors)
        self.parameters = {name: parameters[name] for name in self.parameters}  # theta's order
        self._outer.restore(tensors)


def inner_phases(
    sampled: Sampled,
    theta: Parameters,
    rate: float,
    objective: Objective = surrogate,
    differentiable: bool = True,
) -> list[Parameters]:
    """Return theta as each task has it before each inner step and after the last, (N, ...) each.

    differentiable: keep the graph to theta.
    """
    phases = [for_tasks(theta, len(sampled.after.log_probs))]
    for experience in sampled.adapted.experiences:
        own = (sampled.policy, phases[-1], experience, rate, differentiable, objective)
        phases.append(inner_step(*own))
    return phases


def formulation_two(sampled: Sampled, phases: Sequence[Parameters]) -> Tensor:
    """Return what formulation II adds to the objective of each task, over all inner steps (N,)."""
    steps = zip(phases, sampled.adapted.experiences, strict=False)  # not of the adapted ones
    terms = [pre_update_credit(sampled.policy, *step, sampled.credit) for step in steps]
    return torch.stack(terms).sum(0)
