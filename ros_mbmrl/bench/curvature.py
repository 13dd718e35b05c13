"""`bench curvature`: how much meta-gradients vary from sample to sample, by estimator (fig. 15)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ros_mbmrl.bench.timing import Figure, Findings, at_least, interleave, pinned
from ros_mbmrl.learning.policies.maml_vpg import meta_objective
from ros_mbmrl.learning.policies.meta_learner import Sampled
from ros_mbmrl.learning.policies.simulated_tasks import simulated_tasks
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.adapt import InnerConfig, adapt, practise, repeated
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.sampling import experience_of

ESTIMATED = ("lvc", "dice", "maml", "e_maml")
ENVIRONMENT = "point_navigation"
TASKS, EPISODES, RATE = 10, 10, 0.1


@dataclass(frozen=True)
class Config:
    """Settings; horizon: steps of an episode. steps: inner ones. repeats: independent samples."""

    horizon: int = 100
    steps: int = 1
    hidden: tuple[int, ...] = (32, 32)
    threads: int = 1
    repeats: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(1, horizon=self.horizon, steps=self.steps, threads=self.threads)
        at_least(2, repeats=self.repeats)


QUICK = Config(hidden=(8,), repeats=8)


def run(config: Config) -> Findings:
    """Estimate the same meta-gradient from `repeats` samples by each estimator."""
    with pinned(config.threads):
        samples = list(sampled(config))
        found: dict[str, list[Tensor]] = {name: [] for name in ESTIMATED}
        contenders = {name: _estimating(name, samples, found[name]) for name in ESTIMATED}
        times = interleave(contenders, config.repeats, warm_up=0)
    spread = {name: relative_deviation(torch.stack(each)) for name, each in found.items()}
    figures = [
        Figure(f"{name}_relative_std", value, f"deviation of {name}'s meta-gradient over its norm")
        for name, value in spread.items()
    ]
    told = "DiCE's relative deviation over LVC's (the thesis tells 1.6)"
    dice, lvc = spread["dice"], spread["lvc"]
    ratio = None if dice is None or lvc is None else dice / lvc
    over = Figure("dice_over_lvc", ratio, told, "above 1")
    noise = {name: float(deviation(torch.stack(each))) for name, each in found.items()}
    plain = Figure("dice_over_lvc_std", noise["dice"] / noise["lvc"], "the same, not relative")
    credit = {name: deviation(before_update(found, name)) for name in ("dice", "lvc")}
    told = "the same of what they add to MAML's: the credit before the update"
    added = Figure("dice_over_lvc_credit", float(credit["dice"] / credit["lvc"]), told, "above 1")
    facts = {"environment": ENVIRONMENT, "tasks": TASKS, "episodes": EPISODES, "rate": RATE}
    return Findings((over, plain, added, *figures), times, facts)


def sampled(config: Config) -> Iterator[Sampled]:
    """Yield the samples of iterations that all start from the same untrained policy."""
    inner = InnerConfig(config.steps, EPISODES, config.horizon, RATE)
    tasks = simulated_tasks(ENVIRONMENT)
    mlp = MLP((tasks.observations, *config.hidden, len(tasks.robot.spec.action)))
    still = torch.zeros(tasks.observations)
    policy = GaussianPolicy(mlp, still, torch.full_like(still, 0.5))
    parameters = policy.init(torch.Generator().manual_seed(config.seed))
    for k in range(config.repeats):
        situations, seeds = tasks.drawn(np.random.default_rng((config.seed, k)), TASKS)
        make = repeated(tasks.make, situations, EPISODES)
        adapted = adapt(policy, parameters, inner, make, seeds)
        after = practise(policy, adapted.parameters, inner, make, seeds, phase=inner.steps)
        experience, _ = experience_of(policy, after, inner.discounts)
        yield Sampled(policy, parameters, adapted, experience, after.returns.mean(-1))


def meta_gradient(sample: Sampled, estimator: str) -> Tensor:
    """Return the meta-gradient (P,) that an estimator makes of a sample."""
    theta = {name: value.clone().requires_grad_() for name, value in sample.parameters.items()}
    gain = meta_objective(sample, theta, RATE, estimator)
    slopes = torch.autograd.grad(gain, list(theta.values()))
    return torch.cat([each.flatten() for each in slopes])


def before_update(found: Mapping[str, Sequence[Tensor]], name: str) -> Tensor:
    """Return the part of gradients (n, P) beside J_post, which all estimators share: eq. 9."""
    return torch.stack(list(found[name])) - torch.stack(list(found["maml"]))


def deviation(gradients: Tensor) -> Tensor:
    """Return the standard deviation of gradients (n, P), as the norm over their components."""
    return gradients.var(0).sum().sqrt()


def relative_deviation(gradients: Tensor) -> float | None:
    """Return the deviation of gradients (n, P) over the norm of their mean.

    The squared norm of a mean of n noisy gradients is too large by their variance over n. None:
    noise is all that there is.
    """
    squared = gradients.mean(0).square().sum() - deviation(gradients) ** 2 / len(gradients)
    return float(deviation(gradients) / squared.sqrt()) if squared > 0 else None


def _estimating(name: str, samples: Sequence[Sampled], found: list[Tensor]) -> Callable[[], object]:
    """Return a run that estimates from the next sample, and keeps the result."""
    return lambda: found.append(meta_gradient(samples[len(found)], name))
