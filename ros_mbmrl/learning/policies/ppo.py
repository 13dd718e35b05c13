"""PPO (Schulman et al. 2017) by Stable-Baselines3: one policy across the training distribution."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ros_mbmrl.learning.policies.sb3 import steps_and_batch, train_sb3
from ros_mbmrl.learning.policies.training import PolicyMethod
from ros_mbmrl.learning.run import Progress, silent
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import TrainedPolicy


@dataclass(frozen=True)
class PPOConfig:
    """PPO's settings; defaults are sb3's, but for larger batches.

    budget: transitions in all, in whole batches of `worlds` x `horizon` x `rounds`.
    clip: largest change of the likelihood ratio. epochs: passes over a batch. minibatch: at most so
    many rows in a step. log_std: of the first actions.
    """

    budget: int = 60_000
    worlds: int = 20
    horizon: int = 200
    rounds: int = 1
    hidden: tuple[int, ...] = (64, 64)
    clip: float = 0.2
    epochs: int = 10
    minibatch: int = 128
    discount: float = 0.99
    decay: float = 0.95
    learning_rate: float = 3e-4
    log_std: float = -0.5
    seed: int = 0

    def __post_init__(self) -> None:
        counts = (self.budget, self.worlds, self.horizon, self.rounds, self.epochs, self.minibatch)
        if min(counts) < 1 or not (self.clip > 0 and self.learning_rate > 0):
            raise ValueError(
                "expected budget, worlds, horizon, rounds, epochs, minibatch, clip, "
                "learning_rate > 0"
            )

    @property
    def batch(self) -> int:
        """Return the transitions between two iterations."""
        return self.worlds * self.horizon * self.rounds


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

    return PPO(
        "MlpPolicy",
        environment,
        **steps_and_batch(config, config.minibatch),
        n_epochs=config.epochs,
        clip_range=config.clip,
        learning_rate=config.learning_rate,
        gamma=config.discount,
        gae_lambda=config.decay,
        policy_kwargs={"net_arch": list(config.hidden), "log_std_init": config.log_std},
        seed=config.seed,
        device="cpu",
    )


METHOD = PolicyMethod(PPOConfig, train_ppo)
