"""MAML-RL (Finn et al. 2017): a policy that a policy-gradient step adapts to a task.

    max_theta  E_M E_{tau' ~ p(tau' | theta')} [R(tau')],  theta' = theta + rate grad J^LR(theta)

Inner step: `inner_step`, thesis, eq. 20. Outer step: TRPO on the surrogate after it; its gradient
is of second order, through the inner step, and its constraint on the adapted policies.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ros_mbmrl.dynamics import tensor_file
from ros_mbmrl.dynamics.mlp import MLP, Parameters
from ros_mbmrl.policies.adapt import (
    AdaptedPolicies,
    InnerConfig,
    adapt,
    practise,
    repeated,
    with_goals,
)
from ros_mbmrl.policies.gaussian import GaussianPolicy, for_tasks
from ros_mbmrl.policies.inner_step import Experience, inner_step, surrogate
from ros_mbmrl.policies.moments import Moments
from ros_mbmrl.policies.sampling import Episodes, Tasks, experience_of
from ros_mbmrl.policies.training import (
    CurvePoint,
    Report,
    TrainedPolicy,
    load_checkpoint,
    save_checkpoint,
)
from ros_mbmrl.policies.trust_region import Stepped, TrustRegion, trust_region_step


@dataclass(frozen=True)
class MAMLConfig:
    """MAML-RL's settings.

    budget: transitions in all, those before the inner steps included. tasks: drawn an iteration,
    each for `inner.episodes` episodes before every inner step and as many after the last.
    log_std: of the first actions.
    """

    budget: int = 60_000
    tasks: int = 10
    inner: InnerConfig = field(default_factory=InnerConfig)
    region: TrustRegion = field(default_factory=TrustRegion)
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


def train_maml_rl(
    tasks: Tasks, config: MAMLConfig, out: Path | None = None, report: Report | None = None
) -> TrainedPolicy:
    """Meta-trains on situations that `tasks` draws; goes on from a checkpoint in `out`.

    A longer budget than the checkpoint's is fine: nothing depends on where the run ends. Raises
    UserError for a checkpoint of another run.
    """
    spec = tasks.robot.spec
    identity = {"method": "maml_rl", "robot": spec.name, **asdict(config)}
    del identity["budget"]
    tensors, curve = load_checkpoint(out, identity)
    mlp = MLP((tasks.observations, *config.hidden, len(spec.action)))
    moments = Moments.none(tasks.observations)
    policy = GaussianPolicy(mlp, moments.mean.float(), moments.std)
    parameters = policy.init(torch.Generator().manual_seed(config.seed), config.log_std)
    if tensors:
        parameters = tensor_file.unflatten("parameters", tensors)
        count = len(curve) * config.batch
        moments = Moments(tensors["moments/mean"], tensors["moments/variance"], count)
    for iteration in range(len(curve), max(1, round(config.budget / config.batch))):
        policy = replace(policy, mean=moments.mean.float(), std=moments.std)
        parameters, episodes = _iterate(tasks, config, policy, parameters, iteration)
        moments = moments.merged(torch.cat([e.observations.flatten(0, 2) for e in episodes]))
        returns = [float(each.returns.mean()) for each in episodes]
        curve.append(CurvePoint((iteration + 1) * config.batch, returns[-1], returns[0]))
        kept = tensor_file.flatten("parameters", parameters)
        kept |= {"moments/mean": moments.mean, "moments/variance": moments.variance}
        save_checkpoint(out, identity, kept, curve)
        if report:
            report(curve[-1])
    policy = replace(policy, mean=moments.mean.float(), std=moments.std)
    return TrainedPolicy(policy, parameters, tuple(curve))


def _iterate(
    tasks: Tasks, config: MAMLConfig, policy: GaussianPolicy, parameters: Parameters, iteration: int
) -> tuple[Parameters, tuple[Episodes, ...]]:
    """Draws tasks, adapts to them, and improves what is adapted from."""
    rng = np.random.default_rng((config.seed, iteration))
    situations, seeds = tasks.drawn(rng, config.tasks)
    if tasks.goals:
        situations = with_goals(situations, tasks.make(situations, seeds).goals)
    inner = config.inner
    make = repeated(tasks.make, situations, inner.episodes)
    adapted = adapt(policy, parameters, inner, make, seeds)
    after = practise(policy, adapted.parameters, inner, make, seeds, phase=inner.steps)
    experience = experience_of(policy, after, inner.discounts)
    stepped = outer_step(policy, parameters, adapted, experience, inner.rate, config.region)
    return unflatten(stepped.theta, parameters), (*adapted.episodes, after)


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
