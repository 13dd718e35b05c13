"""ProMP (thesis, chapter 6): proximal meta-policy search, several outer steps on one sample.

J^ProMP(theta) = J^CLIP(theta') - eta KL(pi_theta_o || pi_theta),
theta' = theta + rate grad J^LR(theta)                                            (eq. 21)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ros_mbmrl.learning.policies.ascent import Ascent
from ros_mbmrl.learning.policies.meta_learner import (
    MetaConfig,
    MetaLearner,
    Sampled,
    formulation_two,
    inner_phases,
)
from ros_mbmrl.learning.policies.surrogates import ESTIMATORS, clipped_surrogate
from ros_mbmrl.learning.policies.training import PolicyMethod, train_policy
from ros_mbmrl.learning.run import Progress, silent
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import TrainedPolicy


@dataclass(frozen=True)
class ProMPConfig(MetaConfig):
    """ProMP's settings; defaults of its own are those of table 3.

    outer_rate: beta, of Adam. outer_steps: on the samples of one iteration. clip: epsilon, how far
    from 1 a ratio has something to gain. kl_coefficient: eta. kl_target: divergence before the
    update that eta is adapted to, as PPO does (C.3.3); None: eta stays.
    """

    outer_rate: float = 1e-3
    outer_steps: int = 5
    clip: float = 0.3
    kl_coefficient: float = 5e-4
    kl_target: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.outer_rate > 0 and self.outer_steps >= 1 and 0 < self.clip < 1):
            raise ValueError(
                "expected outer_rate above 0, outer_steps from 1 and clip between 0 and 1"
            )
        if self.kl_coefficient < 0 or (self.kl_target is not None and not self.kl_target > 0):
            raise ValueError("expected kl_coefficient from 0, and a kl_target above 0 or none")
        if self.inner.steps < 1:
            raise ValueError("inner: expected at least 1 step")


class ProMPStep:
    """Lines 4 to 14 of Algorithm 4, once the samples are there."""

    def __init__(self, config: ProMPConfig) -> None:
        self._config, self._ascent = config, Ascent(config.outer_rate)
        self.coefficient = config.kl_coefficient

    def step(self, sampled: Sampled) -> tuple[Parameters, dict[str, float]]:
        """See `OuterStep.step`."""
        config = self._config
        acted = inner_phases(sampled, sampled.parameters, config.inner.rate, differentiable=False)

        def gain(theta: Parameters) -> Tensor:
            """J^ProMP, a mean over tasks: line 13."""
            better, moved = objective(sampled, theta, acted, config)
            return better - self.coefficient * moved

        theta = self._ascent.climb(sampled.parameters, gain, config.outer_steps)
        _, moved = objective(sampled, theta, acted, config)
        told = {"kl": float(moved), "kl_coefficient": self.coefficient}
        if config.kl_target is not None:
            self.coefficient = adapted_coefficient(self.coefficient, told["kl"], config.kl_target)
        return theta, told

    def snapshot(self) -> dict[str, Tensor]:
        """See `OuterStep.snapshot`."""
        coefficient = torch.tensor(self.coefficient, dtype=torch.float64)
        return self._ascent.snapshot() | {"outer/coefficient": coefficient}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """See `OuterStep.restore`."""
        self.coefficient = float(tensors["outer/coefficient"])
        self._ascent.restore(tensors)


def objective(
    sampled: Sampled, theta: Parameters, acted: list[Parameters], config: ProMPConfig
) -> tuple[Tensor, Tensor]:
    """Return J^CLIP(theta') and the divergence of theta from theta_o, means over tasks.

    acted: the parameters that acted before each inner step, and after the last. With several
    inner steps the divergence is a mean over all policies that are adapted.
    """
    policy, experiences = sampled.policy, sampled.adapted.experiences
    estimator = ESTIMATORS[config.estimator]
    differentiable = any(value.requires_grad for value in theta.values())
    phases = inner_phases(sampled, theta, config.inner.rate, estimator.inner, differentiable)
    gain = clipped_surrogate(policy, phases[-1], sampled.after, config.clip)
    if estimator.second:
        gain = gain + formulation_two(sampled, phases)
    before = zip(acted, phases, experiences, strict=False)  # without the adapted policies
    moved = [seen.mean(policy.divergence(a, b, seen.observations)) for a, b, seen in before]
    return gain.mean(), torch.stack(moved).mean()


def adapted_coefficient(coefficient: float, kl: float, target: float) -> float:
    """Return the penalty's coefficient for the next iteration: Schulman et al. 2017, section 4."""
    if kl < target / 1.5:
        return coefficient / 2
    return coefficient * 2 if kl > target * 1.5 else coefficient


def train_promp(
    tasks: Tasks, config: ProMPConfig, out: Path | None = None, progress: Progress = silent
) -> TrainedPolicy:
    """Meta-train on situations that `tasks` draws. See `train_policy`."""
    learner = MetaLearner(tasks, config, ProMPStep(config))
    curve = train_policy("promp", tasks, config, learner, out, progress)
    return TrainedPolicy(learner.policy, learner.parameters, curve, learner.baselines)


METHOD = PolicyMethod(ProMPConfig, train_promp)
