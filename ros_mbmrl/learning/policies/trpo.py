"""TRPO (Schulman et al. 2015) by sb3-contrib: one policy across the training distribution."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ros_mbmrl.learning.policies.sb3 import environment_and_model, steps_and_batch, train_sb3
from ros_mbmrl.learning.policies.training import PolicyMethod
from ros_mbmrl.learning.run import Progress, silent
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import TrainedPolicy

LARGEST = 128  # rows in a step of the value function


@dataclass(frozen=True)
class TRPOConfig:
    """TRPO's settings; the thesis' are batch 50000, max_kl 0.05 (tables 6 to 8).

    budget: transitions in all, in whole batches of `worlds` x `horizon` x `rounds`.
    max_kl: how far one step may go, of all commands jointly. log_std: of the first actions.
    critic_updates, learning_rate: of the value function. cg_iterations, damping: of conjugate
    gradient.
    """

    budget: int = 60_000
    worlds: int = 20
    horizon: int = 200
    rounds: int = 1
    hidden: tuple[int, ...] = (64, 64)
    max_kl: float = 0.3
    discount: float = 0.99
    decay: float = 0.95
    critic_updates: int = 20
    learning_rate: float = 1e-3
    cg_iterations: int = 15
    damping: float = 0.5
    log_std: float = -0.5
    seed: int = 0

    def __post_init__(self) -> None:
        counts = (self.budget, self.worlds, self.horizon, self.rounds, self.critic_updates)
        if min(counts) < 1 or not self.max_kl > 0:
            raise ValueError("expected budget, worlds, horizon, rounds, critic_updates, max_kl > 0")

    @property
    def batch(self) -> int:
        """Return the transitions between two steps."""
        return self.worlds * self.horizon * self.rounds


def train_trpo(
    tasks: Tasks, config: TRPOConfig, out: Path | None = None, progress: Progress = silent
) -> TrainedPolicy:
    """Train on situations that `tasks` draws. See `train_policy`.

    Raises:
        UserError: sb3-contrib is not installed, or the checkpoint is of another run.
    """
    return train_sb3("trpo", tasks, config, partial(_learner, tasks, config), out, progress)


def _learner(tasks: Tasks, config: TRPOConfig, environment: Any) -> Any:
    """Make sb3's learner of a normalised environment."""
    from sb3_contrib import TRPO

    commands = len(tasks.robot.spec.action)  # sb3's divergence is the mean over them, not the sum
    return TRPO(
        "MlpPolicy",
        environment,
        **steps_and_batch(config, LARGEST),
        learning_rate=config.learning_rate,
        gamma=config.discount,
        gae_lambda=config.decay,
        cg_max_steps=config.cg_iterations,
        cg_damping=config.damping / commands,
        n_critic_updates=config.critic_updates,
        target_kl=config.max_kl / commands,
        policy_kwargs={"net_arch": list(config.hidden), "log_std_init": config.log_std},
        seed=config.seed,
        device="cpu",
    )


def _make(tasks: Tasks, config: TRPOConfig, done: int) -> tuple[Any, Any]:
    """Make the environment and sb3's learner, as they are before iteration `done`."""
    return environment_and_model(tasks, config, partial(_learner, tasks, config), done)


METHOD = PolicyMethod(TRPOConfig, train_trpo)
