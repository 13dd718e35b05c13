"""MAML-RL (Finn et al. 2017): a policy that a policy-gradient step adapts to a task.

    max_theta  E_M E_{tau' ~ p(tau' | theta')} [R(tau')],  theta' = theta + rate grad J^LR(theta)

Inner step: `inner_step`, thesis, eq. 20. Outer step: TRPO on the surrogate after it; its gradient
is of second order, through the inner step, and its constraint on the adapted policies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ros_mbmrl.learning.policies.checkpoint import load_checkpoint, save_checkpoint
from ros_mbmrl.learning.policies.trust_region import Stepped, TrustRegion, trust_region_step
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
from ros_mbmrl.policies.trained import CurvePoint, TrainedPolicy


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
        """Transitions of one iteration."""
        inner = self.inner
        return self.tasks * inner.episodes * inner.horizon * (inner.steps + 1)


def train_maml_rl(tasks: Tasks, config: MAMLConfig, out: Path | None = None) -> TrainedPolicy:
    """Meta-trains on situations that `tasks` draws; goes on from a checkpoint in `out`.

    A longer budget than the checkpoint's is fine: nothing depends on where the run ends. Raises
    UserError for a checkpoint of another run.
    """
    identity = {"method": "maml_rl", "robot": tasks.robot.spec.name, **asdict(config)}
    del identity["budget"]
    tensors, curve = load_checkpoint(out, identity)
    state = _State.first(tasks, config)
    if tensors:
        state = state.restored(tensors, len(curve) * config.batch)
    for iteration in range(len(curve), max(1, round(config.budget / config.batch))):
        state, returns = _iterate(tasks, config, state, iteration)
        curve.append(CurvePoint((iteration + 1) * config.batch, returns[-1], returns[0]))
        save_checkpoint(out, identity, state.tensors(), curve)
    return TrainedPolicy(state.policy, state.parameters, tuple(curve), state.baselines)


@dataclass(frozen=True)
class _State:
    """What an iteration leaves. moments: of all observations, which the next policy goes by."""

    policy: GaussianPolicy
    parameters: Parameters
    moments: Moments
    baselines: tuple[LinearBaseline, ...] = ()

    @classmethod
    def first(cls, tasks: Tasks, config: MAMLConfig) -> _State:
        mlp = MLP((tasks.observations, *config.hidden, len(tasks.robot.spec.action)))
        moments = Moments.none(tasks.observations)
        policy = GaussianPolicy(mlp, moments.mean.float(), moments.std)
        generator = torch.Generator().manual_seed(config.seed)
        return cls(policy, policy.init(generator, config.log_std), moments)

    def tensors(self) -> dict[str, Tensor]:
        kept = tensor_file.flatten("parameters", self.parameters)
        kept |= {"policy/mean": self.policy.mean, "policy/std": self.policy.std}
        kept |= {"moments/mean": self.moments.mean, "moments/variance": self.moments.variance}
        return kept | {f"baseline/{k}": each.weights for k, each in enumerate(self.baselines)}

    def restored(self, tensors: Mapping[str, Tensor], count: int) -> _State:
        policy = replace(self.policy, mean=tensors["policy/mean"], std=tensors["policy/std"])
        weights = tensor_file.unflatten("baseline", tensors)
        parameters = tensor_file.unflatten("parameters", tensors)
        return _State(
            policy,
            {name: parameters[name] for name in self.parameters},  # their order is theta's
            Moments(tensors["moments/mean"], tensors["moments/variance"], count),
            tuple(LinearBaseline(weights[str(k)]) for k in range(len(weights))),
        )


def _iterate(
    tasks: Tasks, config: MAMLConfig, state: _State, iteration: int
) -> tuple[_State, list[float]]:
    """Draws tasks, adapts to them, improves what is adapted from; mean returns of each phase."""
    rng = np.random.default_rng((config.seed, iteration))
    situations, seeds = tasks.drawn(rng, config.tasks)
    if tasks.goals:
        situations = with_goals(situations, tasks.make(situations, seeds).goals)
    inner, moments = config.inner, state.moments
    make = repeated(tasks.make, situations, inner.episodes)
    policy = replace(state.policy, mean=moments.mean.float(), std=moments.std)
    adapted = adapt(policy, state.parameters, inner, make, seeds)
    after = practise(policy, adapted.parameters, inner, make, seeds, phase=inner.steps)
    experience, _ = experience_of(policy, after, inner.discounts)
    stepped = outer_step(policy, state.parameters, adapted, experience, inner.rate, config.region)
    parameters = unflatten(stepped.theta, state.parameters)
    phases = (*adapted.episodes, after)
    moments = moments.merged(torch.cat([each.observations.flatten(0, 2) for each in phases]))
    reached = _State(policy, parameters, moments, adapted.baselines)
    return reached, [float(each.returns.mean()) for each in phases]


def outer_step(
    policy: GaussianPolicy,
    parameters: Parameters,
    adapted: AdaptedPolicies,
    after: Experience,
    rate: float,
    region: TrustRegion,
) -> Stepped:
    """One TRPO step on theta, from the experience before and `after` the inner steps."""

    def objective(theta: Tensor) -> tuple[Tensor, Tensor]:
        own = for_tasks(unflatten(theta, parameters), len(after.log_probs))
        for experience in adapted.experiences:
            own = inner_step(policy, own, experience, rate, differentiable=theta.requires_grad)
        divergence = policy.divergence(adapted.parameters, own, after.observations)
        return surrogate(policy, own, after).mean(), divergence.mean()

    return trust_region_step(flatten(parameters), objective, region)


def flatten(parameters: Parameters) -> Tensor:
    """All parameters in one vector (P,)."""
    return torch.cat([value.reshape(-1) for value in parameters.values()])


def unflatten(theta: Tensor, like: Parameters) -> Parameters:
    """Parameters of a vector (P,), shaped as those given."""
    parts = torch.split(theta, [value.numel() for value in like.values()])
    return {n: part.reshape(like[n].shape) for n, part in zip(like, parts, strict=True)}
