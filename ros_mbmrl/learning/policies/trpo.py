"""TRPO (Schulman et al. 2015) by sb3-contrib: one policy across the training distribution."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ros_mbmrl.learning.policies.sb3 import SB3Config, train_sb3
from ros_mbmrl.learning.policies.training import PolicyMethod
from ros_mbmrl.learning.run import Progress, silent
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import TrainedPolicy

LARGEST = 128  # rows in a step of the value function


@dataclass(frozen=True)
class TRPOConfig(SB3Config):
    """TRPO's settings; the thesis' are batch 50000, max_kl 0.05 (tables 6 to 8).

    max_kl: how far one step may go, of all commands jointly. critic_updates: of the value function,
    at `learning_rate`. cg_iterations, damping: of conjugate gradient.
    """

    max_kl: float = 0.3
    critic_updates: int = 20
    cg_iterations: int = 15
    damping: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.critic_updates < 1 or not self.max_kl > 0:
            raise ValueError("expected critic_updates, max_kl > 0")


def train_trpo(
    tasks: Tasks, config: TRPOConfig, out: Path | None = None, progress: Progress = silent
) -> TrainedPolicy:
    """Train on situations that `tasks` draws. See `train_policy`.

    Raises:
        UserError: sb3-contrib is not installed, or the checkpoint is of another run.
    """
    return train_sb3("trpo", tasks, config, partial(learner_of, tasks, config), out, progress)


def learner_of(tasks: Tasks, config: TRPOConfig, environment: Any) -> Any:
    """Make sb3's learner of a normalised environment."""
    from sb3_contrib import TRPO

    commands = len(tasks.robot.spec.action)  # sb3's divergence is the mean over them, not the sum
    return TRPO(
        "MlpPolicy",
        environment,
        cg_max_steps=config.cg_iterations,
        cg_damping=config.damping / commands,
        n_critic_updates=config.critic_updates,
        target_kl=config.max_kl / commands,
        **config.shared(LARGEST),
    )


METHOD = PolicyMethod(TRPOConfig, train_trpo)
