"""MAML-VPG (thesis, 6.7.1): one step of a vanilla policy gradient outside, by any estimator.

It tells estimators of the meta-gradient apart without the help of an outer optimiser (fig. 14).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ros_mbmrl.learning.policies.ascent import Ascent
from ros_mbmrl.learning.policies.meta_learner import (
    MetaConfig,
    MetaLearner,
    Sampled,
    formulation_two,
    inner_phases,
)
from ros_mbmrl.learning.policies.surrogates import ESTIMATORS
from ros_mbmrl.learning.policies.training import PolicyMethod, train_policy
from ros_mbmrl.learning.run import Progress, silent
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.inner_step import surrogate
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import TrainedPolicy


@dataclass(frozen=True)
class MAMLVPGConfig(MetaConfig):
    """MAML-VPG's settings. outer_rate: of Adam, table 3."""

    estimator: str = "lvc"
    outer_rate: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.outer_rate > 0 or self.inner.steps < 1:
            raise ValueError("expected outer_rate above 0 and at least 1 inner step")


def meta_objective(sampled: Sampled, theta: Parameters, rate: float, estimator: str) -> Tensor:
    """Return what the meta-gradient of an estimator is the gradient of, a mean over tasks."""
    chosen = ESTIMATORS[estimator]
    phases = inner_phases(sampled, theta, rate, chosen.inner)
    gain = surrogate(sampled.policy, phases[-1], sampled.after)  # eq. 10, or 10 and 12
    if chosen.second:
        gain = gain + formulation_two(sampled, phases)  # eq. 11
    return gain.mean()


class VPGStep:
    """One step of Adam along the meta-gradient."""

    def __init__(self, config: MAMLVPGConfig) -> None:
        self._config, self._ascent = config, Ascent(config.outer_rate)

    def step(self, sampled: Sampled) -> tuple[Parameters, dict[str, float]]:
        """See `OuterStep.step`."""
        rate, estimator = self._config.inner.rate, self._config.estimator

        def gain(theta: Parameters) -> Tensor:
            return meta_objective(sampled, theta, rate, estimator)

        return self._ascent.climb(sampled.parameters, gain), {}

    def snapshot(self) -> dict[str, Tensor]:
        """See `OuterStep.snapshot`."""
        return self._ascent.snapshot()

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """See `OuterStep.restore`."""
        self._ascent.restore(tensors)


def train_maml_vpg(
    tasks: Tasks, config: MAMLVPGConfig, out: Path | None = None, progress: Progress = silent
) -> TrainedPolicy:
    """Meta-train on situations that `tasks` draws. See `train_policy`."""
    learner = MetaLearner(tasks, config, VPGStep(config))
    curve = train_policy("maml_vpg", tasks, config, learner, out, progress)
    return TrainedPolicy(learner.policy, learner.parameters, curve, learner.baselines)


METHOD = PolicyMethod(MAMLVPGConfig, train_maml_vpg)
