"""MAAC (thesis, Algorithm 5), and what it is compared with: MBPO and STEVE on SAC.

All of them are one learner. MAAC differentiates through the model; MBPO (Janner et al. 2019) learns
from branched roll-outs by SAC; `steve_sac` expands SAC's targets and learns from real transitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import Generator

from ros_mbmrl.learning.policies.in_models_config import check_choice
from ros_mbmrl.learning.policies.model_based import ModelBasedConfig, ModelBasedLearner
from ros_mbmrl.learning.policies.pathwise import PathwiseActorCritic
from ros_mbmrl.learning.policies.soft import SoftActorCritic
from ros_mbmrl.learning.policies.training import PolicyMethod, train_policy
from ros_mbmrl.learning.run import Progress, silent
from ros_mbmrl.policies.imagined_world import ImaginedWorld
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import TrainedPolicy

# Settings of each method where nothing else is said.
PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "maac": {"steps": 3, "expansion": 3, "samples": 4, "updates": 5},
        "mbpo": {"updates": 5},
        "steve_sac": {"expansion": 3, "real": 1.0},
    }
)


@dataclass(frozen=True)
class MAACConfig(ModelBasedConfig):
    """Settings of Algorithm 5.

    method: its name. steps: H of the policy's objective; 0 does not differentiate through the
    model. expansion: H of STEVE's targets; 0: plain ones. samples: roll-outs from each state in the
    objective.
    """

    method: str = "maac"
    steps: int = 0
    expansion: int = 0
    samples: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("method", self.method, tuple(PRESETS))
        if min(self.steps, self.expansion) < 0 or self.samples < 1:
            raise ValueError("expected steps, expansion of 0 or more, and samples of 1 or more")


def config_of(method: str, seed: int = 0) -> MAACConfig:
    """Return the settings of a method where nothing else is said."""
    return MAACConfig(method=method, seed=seed, **PRESETS[method])


class MAACLearner(ModelBasedLearner[MAACConfig]):
    """Make iterations of Algorithm 5; lines 3 to 8 are `ModelBasedLearner`'s."""

    def _actor_critic(self, tasks: Tasks, generator: Generator) -> SoftActorCritic:
        """See `OffPolicyLearner._actor_critic`."""
        sizes = tasks.observations, len(tasks.robot.spec.action)
        own = PathwiseActorCritic(*sizes, self._config.soft, generator, tasks.robot.observation)
        own.steps, own.expansion = self._config.steps, self._config.expansion
        own.samples = self._config.samples
        return own

    def _enter(self, world: ImaginedWorld) -> None:
        """See `ModelBasedLearner._enter`."""
        super()._enter(world)
        assert isinstance(self.soft, PathwiseActorCritic)
        self.soft.world = world

    def _improve(self, steps: int, generator: Generator) -> dict[str, float]:
        """See `OffPolicyLearner._improve`: lines 9 to 12."""
        scalars: dict[str, float] = {}
        for _ in range(steps):
            scalars = self.soft.update(self.mixed(generator), generator)
        return scalars


def train_maac(
    tasks: Tasks, config: MAACConfig, out: Path | None = None, progress: Progress = silent
) -> TrainedPolicy:
    """Train on situations that `tasks` draws. See `train_policy`.

    Raises:
        UserError: the robot has a goal, or rewards that its state does not tell.
    """
    learner = MAACLearner(tasks, config)
    curve = train_policy(config.method, tasks, config, learner, out, progress)
    soft, model = learner.soft, learner.model
    critics = soft.critics, soft.critic_parameters
    return TrainedPolicy(soft.policy, soft.parameters, curve, model=model, critics=critics)


def _trainer(method: str) -> PolicyMethod:
    return PolicyMethod(partial(config_of, method), train_maac, across=False)


MAAC, MBPO, STEVE_SAC = _trainer("maac"), _trainer("mbpo"), _trainer("steve_sac")
