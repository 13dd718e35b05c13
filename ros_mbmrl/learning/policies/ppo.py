"""PPO (Schulman et al. 2017) by Stable-Baselines3: one policy across the training distribution."""

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


@dataclass(frozen=True)
class PPOConfig(SB3Config):
    """PPO's settings; defaults are sb3's, but for larger batches.

    clip: largest change of the likelihood ratio. epochs: passes over a batch. minibatch: at most so
    many rows in a step.
    """

    clip: float = 0.2
    epochs: int = 10
    minibatch: int = 128
    learning_rate: float = 3e-4

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.epochs, self.minibatch) < 1 or not self.clip > 0:
            raise ValueError("expected epochs, minibatch, clip > 0")


def train_ppo(
    tasks: Tasks, config: PPOConfig, out: Path | None = None, progress: Progress = silent
) -> TrainedPolicy:
    """Train on situations that `tasks` draws. See `train_policy`.

    Raises:
        UserError: Stable-Baselines3 is not installed, or the checkpoint is of another run.
    """
    return train_sb3("ppo", tasks, config, partial(_learner, config), out, progress)


def _learner(config: PPOConfig, environment: Any) -> Any:
    """Make sb3's learner of a normalised environment."""
    from stable_baselines3 import PPO

    own = {"n_epochs": config.epochs, "clip_range": config.clip}
    return PPO("MlpPolicy", environment, **own, **config.shared(config.minibatch))


METHOD = PolicyMethod(PPOConfig, train_ppo)
