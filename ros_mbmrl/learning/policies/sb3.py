"""Learners of Stable-Baselines3, outside baselines: TRPO in `trpo.py`, PPO in `ppo.py`.

SAC, which is off-policy, is in `sb3_sac.py`.

Nothing of sb3's own files is written or read: they are pickled. What is kept are weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.training import train_policy
from ros_mbmrl.learning.run import Progress, silent
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import TrainedPolicy

STATISTICS = ("obs_rms", "ret_rms")


@dataclass(frozen=True)
class SB3Config:
    """Settings that every learner has.

    budget: transitions in all, in whole batches of `worlds` x `horizon` x `rounds`. decay: lambda
    of GAE. log_std: of the first actions.
    """

    budget: int = 60_000
    worlds: int = 20
    horizon: int = 200
    rounds: int = 1
    hidden: tuple[int, ...] = (64, 64)
    discount: float = 0.99
    decay: float = 0.95
    learning_rate: float = 1e-3
    log_std: float = -0.5
    seed: int = 0

    def __post_init__(self) -> None:
        counts = self.budget, self.worlds, self.horizon, self.rounds
        if min(counts) < 1 or not self.learning_rate > 0:
            raise ValueError("expected budget, worlds, horizon, rounds, learning_rate > 0")

    @property
    def batch(self) -> int:
        """Return the transitions of an iteration."""
        return self.worlds * self.horizon * self.rounds

    def shared(self, largest: int) -> dict[str, Any]:
        """Return sb3's arguments for these settings; largest: rows in a step."""
        return {
            **steps_and_batch(self, largest),
            "learning_rate": self.learning_rate,
            "gamma": self.discount,
            "gae_lambda": self.decay,
            "policy_kwargs": {"net_arch": list(self.hidden), "log_std_init": self.log_std},
            "seed": self.seed,
            "device": "cpu",
        }


# From the normalised environment, to sb3's learner.
Make = Callable[[Any], Any]


def train_sb3(
    method: str,
    tasks: Tasks,
    config: SB3Config,
    make: Make,
    out: Path | None,
    progress: Progress = silent,
) -> TrainedPolicy:
    """Train on situations that `tasks` draws. See `train_policy`.

    Args:
        method: name of the algorithm.
        tasks: source of episodes.
        config: settings.
        make: makes sb3's learner of a normalised environment.
        out: folder of the checkpoint; None for none.
        progress: told once an iteration.

    Raises:
        UserError: the extra `rl` is not installed, or the checkpoint is of another run.
    """
    learner = SB3Learner(tasks, config, make)
    curve = train_policy(method, tasks, config, learner, out, progress)
    policy, parameters = exported(learner.model)
    return TrainedPolicy(policy, parameters, curve)


class SB3Learner:
    """Have sb3's learner make one iteration at a time."""

    def __init__(self, tasks: Tasks, config: SB3Config, make: Make) -> None:
        self.rate = 1.0  # not used: sb3 has its own
        self._make, self._tasks, self._config, self._iteration = make, tasks, config, 0
        self._env, self.model = environment_and_model(tasks, config, make, done=0)

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
        own = self._tasks, self._config, self._make
        self._env, self.model = environment_and_model(*own, self._iteration)
        _restore(self.model, tensors)


def environment_and_model(
    tasks: Tasks, config: SB3Config, make: Make, done: int
) -> tuple[Any, Any]:
    """Make the environment and sb3's learner, as they are before iteration `done`."""
    with extra("TRPO and PPO need"):
        from stable_baselines3.common.vec_env import VecNormalize

        from ros_mbmrl.learning.policies.vec_env import EnvironmentVecEnv

        env = EnvironmentVecEnv(
            tasks, config.worlds, config.horizon, config.seed, first_round=done * config.rounds
        )
        model = silenced(make(VecNormalize(env, gamma=config.discount)))
    return env, model


@contextmanager
def extra(who: str) -> Iterator[None]:
    """Turn a failed import of sb3 into a UserError; who: "TRPO needs" or the like."""
    try:
        yield
    except ImportError:
        raise UserError(f"{who} the extra `rl`: pip install ros_mbmrl[rl]") from None


def silenced(model: Any) -> Any:
    """Return sb3's learner, which then logs nothing."""
    from stable_baselines3.common.logger import Logger

    model.set_logger(Logger(folder=None, output_formats=[]))
    return model


def steps_and_batch(config: SB3Config, largest: int) -> dict[str, int]:
    """Return sb3's `n_steps`, and the largest `batch_size` that divides an iteration."""
    sizes = (k for k in range(1, largest + 1) if config.batch % k == 0)
    return {"n_steps": config.horizon * config.rounds, "batch_size": max(sizes)}


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


def exported(model: Any) -> tuple[GaussianPolicy, Parameters]:
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
