"""MEMB (Tan et al., *Model Embedding Model-Based Reinforcement Learning*, Algorithm 1).

A dynamics model and a reward model are fitted to real data (eq. 4), V and Q learn from real data,
and the policy climbs the gradient through both models and V (eq. 9), m times a control period.

Equation 4 squares errors of what is sampled, mean + deviation x noise, and so is least where the
deviations are 0: the models here are means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.true_dynamics import TrueDynamics
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.policies.embedded import EmbeddedActorCritic, EmbeddedConfig
from ros_mbmrl.learning.policies.in_models_config import MODEL as ENSEMBLE
from ros_mbmrl.learning.policies.model_based import ModelBasedConfig, ModelBasedLearner
from ros_mbmrl.learning.policies.soft import SoftActorCritic, SoftConfig
from ros_mbmrl.learning.policies.training import PolicyMethod, train_policy
from ros_mbmrl.learning.run import Progress, silent
from ros_mbmrl.policies.imagined import commands_of
from ros_mbmrl.policies.imagined_world import ImaginedWorld
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import TrainedPolicy

# Table 2 for the half-cheetah, but silu for ReLU; the fit's steps and rate are those of ME-TRPO.
MODEL = replace(ENSEMBLE, members=1, hidden=(256, 128))
SOFT = SoftConfig(learning_rate=3e-4, temperature=0.4, entropy=None)
JUDGED, SMALLEST = 2000, 1e-6  # transitions that the reward is judged by; of a deviation


@dataclass(frozen=True)
class MEMBConfig(ModelBasedConfig):
    """Settings of Algorithm 1; defaults are those of table 2.

    updates: m, of actor and critics for each real transition. own: of the actor-critic. true_model:
    whether the system's own physics take the place of the learned model (appendix B.3).
    learned_reward: as the paper has it; else it is the task's.
    """

    budget: int = 200_000
    updates: int = 5
    real: float = 1.0
    learned_reward: bool = True
    model: TrainConfig = MODEL
    soft: SoftConfig = SOFT
    own: EmbeddedConfig = field(default_factory=EmbeddedConfig)
    true_model: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.real != 1.0:
            raise ValueError(f"real: expected 1, since V and Q learn from it, got {self.real}")
        for name in ("expansion", "rollout"):
            if (steps := getattr(self.own, name)) > self.horizon:
                raise ValueError(
                    f"own.{name}: expected up to the horizon of episodes, {self.horizon}, beyond "
                    f"which there are no data, got {steps}"
                )

    def _check_model(self) -> None:
        if self.model.method != "mb":
            raise ValueError(f"model: expected method mb, got {self.model.method}")


class MEMBLearner(ModelBasedLearner[MEMBConfig]):
    """Make iterations of Algorithm 1; steps 1 and 2 are `ModelBasedLearner`'s.

    Raises:
        UserError: see `ModelBasedLearner`; or the true model is asked for, and not known.
    """

    def __init__(self, tasks: Tasks, config: MEMBConfig) -> None:
        super().__init__(tasks, config)
        self._true: ImaginedWorld | None = None
        if config.true_model:
            if tasks.physics is None:
                raise UserError(
                    "true_model: expected a system whose physics are a function, as those of "
                    f"pendulum, got '{tasks.robot.spec.name}'"
                )
            moves = TrueDynamics(tasks.robot, tasks.physics)
            self._true = ImaginedWorld(moves, self._reward, self._ended)

    def _actor_critic(self, tasks: Tasks, generator: Generator) -> SoftActorCritic:
        """See `OffPolicyLearner._actor_critic`."""
        sizes, config = (tasks.observations, len(tasks.robot.spec.action)), self._config
        observe = tasks.robot.observation
        return EmbeddedActorCritic(*sizes, config.soft, config.own, generator, observe)

    def _enter(self, world: ImaginedWorld) -> None:
        """See `ModelBasedLearner._enter`."""
        super()._enter(world)
        assert isinstance(self.soft, EmbeddedActorCritic)
        self.soft.world = world

    def _fit(self, generator: Generator) -> None:
        """See `ModelBasedLearner._fit`; with the true model the reward alone is fitted."""
        if self._true is None:
            super()._fit(generator)
            return
        if self._learned is not None:
            self._learned.fit(self.replay, generator)
        self._enter(self._true)

    def update(self, store: Tasks, generator: Generator) -> dict[str, float]:
        """See `Learner.update`; beside it, how far the learned reward is from the task's.

        reward_error: deviation of the error on real transitions, in that of their rewards.
        """
        scalars = super().update(store, generator)
        if self._learned is None or self.world is None:
            return scalars
        rows = self.replay.draw(JUDGED, Generator().manual_seed(self._iteration))
        command = commands_of(self._robot.spec)
        found = self._learned(rows.observations, command(rows.actions), rows.following)
        error = (found - rows.rewards).square().mean().sqrt()
        return {**scalars, "reward_error": float(error / rows.rewards.std().clamp_min(SMALLEST))}

    def _improve(self, steps: int, generator: Generator) -> dict[str, float]:
        """See `OffPolicyLearner._improve`: step 3, m times."""
        scalars: dict[str, float] = {}
        for _ in range(steps):
            batch = self.replay.draw(self._config.soft.rows, generator)
            scalars = self.soft.update(batch, generator)
        return scalars

    def snapshot(self) -> dict[str, Tensor]:
        """See `Learner.snapshot`."""
        return {**super().snapshot(), "entered": torch.tensor(self.world is not None)}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """See `Learner.restore`."""
        super().restore(tensors)
        if self._true is not None and bool(tensors["entered"]):
            self._enter(self._true)


def train_memb(
    tasks: Tasks, config: MEMBConfig, out: Path | None = None, progress: Progress = silent
) -> TrainedPolicy:
    """Train on situations that `tasks` draws. See `train_policy`.

    Raises:
        UserError: see `MEMBLearner`.
    """
    learner = MEMBLearner(tasks, config)
    curve = train_policy("memb", tasks, config, learner, out, progress)
    own = learner.soft.policy, learner.soft.parameters
    return TrainedPolicy(*own, curve, model=learner.model)


METHOD = PolicyMethod(MEMBConfig, train_memb, across=False)
