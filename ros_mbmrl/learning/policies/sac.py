"""SAC (Haarnoja et al. 2018) of our own: the base of the actor-critics that use a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Generator

from ros_mbmrl.learning.policies.off_policy import OffPolicyConfig, OffPolicyLearner
from ros_mbmrl.learning.policies.training import PolicyMethod, train_policy
from ros_mbmrl.learning.run import Progress, silent
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import TrainedPolicy


@dataclass(frozen=True)
class SACConfig(OffPolicyConfig):
    """Settings of SAC; see `OffPolicyConfig`."""


class SACLearner(OffPolicyLearner[SACConfig]):
    """Learn from real transitions alone; see `OffPolicyLearner`."""

    def __init__(self, tasks: Tasks, config: SACConfig) -> None:
        super().__init__(tasks, config, tasks.observations)

    def _improve(self, steps: int, generator: Generator) -> dict[str, float]:
        """See `OffPolicyLearner._improve`."""
        scalars: dict[str, float] = {}
        for _ in range(steps):
            batch = self.replay.draw(self._config.soft.rows, generator)
            scalars = self.soft.update(batch, generator)
        return scalars


def train_sac(
    tasks: Tasks, config: SACConfig, out: Path | None = None, progress: Progress = silent
) -> TrainedPolicy:
    """Train on situations that `tasks` draws. See `train_policy`."""
    learner = SACLearner(tasks, config)
    curve = train_policy("sac", tasks, config, learner, out, progress)
    return TrainedPolicy(learner.soft.policy, learner.soft.parameters, curve)


METHOD = PolicyMethod(SACConfig, train_sac, across=False)
