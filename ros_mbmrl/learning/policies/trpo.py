"""TRPO (Schulman et al. 2015) by sb3-contrib: one policy across the training distribution.

Nothing of sb3's own files is written or read: they are pickled. What is kept are weights.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.checkpoint import load_checkpoint, save_checkpoint
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import CurvePoint, TrainedPolicy

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
        """Transitions between two steps."""
        return self.worlds * self.horizon * self.rounds


def train_trpo(tasks: Tasks, config: TRPOConfig, out: Path | None = None) -> TrainedPolicy:
    """Trains on situations that `tasks` draws; goes on from a checkpoint in `out`.

    A longer budget than the checkpoint's is fine: nothing depends on where the run ends. Raises
    UserError without sb3-contrib, and for a checkpoint of another run.
    """
    identity = {"method": "trpo", "robot": tasks.robot.spec.name, **asdict(config)}
    del identity["budget"]
    tensors, curve = load_checkpoint(out, identity)
    env, model = _make(tasks, config, done=len(curve))
    if tensors:
        _restore(model, tensors)
    for iteration in range(len(curve), max(1, round(config.budget / config.batch))):
        # sb3 draws from the generators of torch and numpy: seeded anew, a run can be gone on with.
        torch.manual_seed(_seed(config, iteration))
        np.random.seed(_seed(config, iteration))
        model.learn(config.batch, reset_num_timesteps=False)
        mean = float(np.mean(env.take_returns()))
        curve.append(CurvePoint((iteration + 1) * config.batch, mean, mean))
        save_checkpoint(out, identity, _state(model), curve)
    policy, parameters = _exported(model)
    return TrainedPolicy(policy, parameters, tuple(curve))


def _seed(config: TRPOConfig, iteration: int) -> int:
    return int(np.random.SeedSequence((config.seed, iteration)).generate_state(1)[0])


def _make(tasks: Tasks, config: TRPOConfig, done: int) -> tuple[Any, Any]:
    """The environment and sb3's learner, as they are before iteration `done`."""
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


def _state(model: Any) -> dict[str, Tensor]:
    """Everything that the next iteration needs of sb3's learner."""
    tensors = tensor_file.flatten("policy", model.policy.state_dict())
    for k, moments in model.policy.optimizer.state_dict()["state"].items():
        tensors |= tensor_file.flatten(f"adam/{k}", moments)
    for name in STATISTICS:
        statistics = getattr(model.env, name)
        for part in ("mean", "var", "count"):
            tensors[f"{name}/{part}"] = torch.tensor(getattr(statistics, part), dtype=torch.float64)
    return tensors


def _restore(model: Any, tensors: dict[str, Tensor]) -> None:
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
    """sb3's actor, with its normalisation of observations, as one of ours."""
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
