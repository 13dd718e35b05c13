"""TRPO (Schulman et al. 2015) by sb3-contrib: one policy across the training distribution.

Nothing of sb3's own files is written or read: they are pickled. What is kept are weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.training import PolicyMethod, train_policy
from ros_mbmrl.learning.run import Progress, silent
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import TrainedPolicy

STATISTICS = ("obs_rms", "ret_rms")
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
    learner = TRPOLearner(tasks, config)
    curve = train_policy("trpo", tasks, config, learner, out, progress)
    policy, parameters = _exported(learner.model)
    return TrainedPolicy(policy, parameters, curve)


class TRPOLearner:
    """Have sb3's learner make one iteration at a time."""

    def __init__(self, tasks: Tasks, config: TRPOConfig) -> None:
        self.rate = 1.0  # not used: the trust region says how far a step goes
        self._tasks, self._config, self._iteration = tasks, config, 0
        self._env, self.model = _make(tasks, config, done=0)

    def update(self, store: Tasks, generator: torch.Generator) -> dict[str, float]:
        """Make one iteration, whose draws depend on the seed and its number only."""
        # sb3 draws from the generators of torch and numpy: seeded anew, a run can be gone on with.
        whole = np.random.SeedSequence((self._config.seed, self._iteration))
        seed = int(whole.generate_state(1)[0])
        torch.manual_seed(seed)
        np.random.seed(seed)
        self.model.learn(self._config.batch, reset_num_timesteps=False)
        self._iteration += 1
        mean = float(np.mean(self._env.take_returns()))
        return {"before": mean, "after": mean}

    def snapshot(self) -> dict[str, Tensor]:
        """Return everything that the next iteration needs of sb3's learner, and its number."""
        tensors = tensor_file.flatten("policy", self.model.policy.state_dict())
        for k, moments in self.model.policy.optimizer.state_dict()["state"].items():
            tensors |= tensor_file.flatten(f"adam/{k}", moments)
        for name in STATISTICS:
            found = getattr(self.model.env, name)
            for part in ("mean", "var", "count"):
                tensors[f"{name}/{part}"] = torch.tensor(getattr(found, part), dtype=torch.float64)
        return tensors | {"iteration": torch.tensor(self._iteration)}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot, in the round of episodes that follows it."""
        self._iteration = int(tensors["iteration"])
        self._env, self.model = _make(self._tasks, self._config, self._iteration)
        _restore(self.model, tensors)


def _make(tasks: Tasks, config: TRPOConfig, done: int) -> tuple[Any, Any]:
    """Make the environment and sb3's learner, as they are before iteration `done`."""
    try:
        from sb3_contrib import TRPO
        from stable_baselines3.common.logger import Logger
        from stable_baselines3.common.vec_env import VecNormalize

        from ros_mbmrl.learning.policies.vec_env import EnvironmentVecEnv
    except ImportError:
        raise UserError("TRPO needs the extra `rl`: pip install ros_mbmrl[rl]") from None
    env = EnvironmentVecEnv(
        tasks, config.worlds, config.horizon, config.seed, first_round=done * config.rounds
    )
    commands = len(tasks.robot.spec.action)  # sb3's divergence is the mean over them, not the sum
    model = TRPO(
        "MlpPolicy",
        VecNormalize(env, gamma=config.discount),
        n_steps=config.horizon * config.rounds,
        batch_size=max(k for k in range(1, LARGEST + 1) if config.batch % k == 0),
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
    model.set_logger(Logger(folder=None, output_formats=[]))
    return env, model


def _restore(model: Any, tensors: Mapping[str, Tensor]) -> None:
    model.policy.load_state_dict(tensor_file.unflatten("policy", tensors))
    adam = model.policy.optimizer.state_dict()
    numbers = {int(name.split("/")[1]) for name in tensors if name.startswith("adam/")}
    adam["state"] = {k: tensor_file.unflatten(f"adam/{k}", tensors) for k in numbers}
    model.policy.optimizer.load_state_dict(adam)
    normaliser = model.env
    for name in STATISTICS:
        for part, value in tensor_file.unflatten(name, tensors).items():
            setattr(getattr(normaliser, name), part, value.numpy()[()])
    normaliser.training = False  # these first observations are in its statistics already
    model._last_obs = normaliser.reset()
    normaliser.training = True
    model._last_episode_starts = np.ones(normaliser.num_envs, dtype=bool)


def _exported(model: Any) -> tuple[GaussianPolicy, Parameters]:
    """Return sb3's actor, with its normalisation of observations, as one of ours."""
    actor, normaliser = model.policy, model.env
    linear = [m for m in actor.mlp_extractor.policy_net if isinstance(m, torch.nn.Linear)]
    linear.append(actor.action_net)
    parameters = {"log_std": actor.log_std.detach().clone()}
    for k, layer in enumerate(linear):
        parameters[f"w{k}"] = layer.weight.detach().T.clone()
        parameters[f"b{k}"] = layer.bias.detach().clone()
    sizes = (linear[0].in_features, *(layer.out_features for layer in linear))
    mean = torch.as_tensor(normaliser.obs_rms.mean, dtype=torch.float32)
    variance = torch.as_tensor(normaliser.obs_rms.var + normaliser.epsilon)
    policy = GaussianPolicy(MLP(sizes), mean, variance.sqrt().float(), normaliser.clip_obs)
    return policy, parameters


METHOD = PolicyMethod(TRPOConfig, train_trpo)
