"""SAC by Stable-Baselines3, the outside baseline of our own, with the same settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.learning.policies.off_policy import OffPolicyConfig
from ros_mbmrl.learning.policies.sb3 import extra, silenced
from ros_mbmrl.learning.policies.training import PolicyMethod, train_policy
from ros_mbmrl.learning.run import LEARNED, Progress, silent
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.squashed import SquashedPolicy
from ros_mbmrl.policies.trained import TrainedPolicy

# Of sb3's memory, of which a checkpoint keeps the rows that are filled.
MEMORY = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


NO_CLIP = 1e6  # of observations: sb3 clips none


@dataclass(frozen=True)
class SB3SACConfig(OffPolicyConfig):
    """Settings of sb3's SAC; see `OffPolicyConfig`.

    `updates` is for each transition of a control period, also where a row's episode ended: sb3
    begins it anew at once.
    """


class SB3SACLearner:
    """Have sb3's SAC make one iteration at a time; see `learning.run.Learner`."""

    def __init__(self, tasks: Tasks, config: SB3SACConfig) -> None:
        self.rate = 1.0  # not used
        self._tasks, self._config, self._iteration = tasks, config, 0
        self._env, self.model = environment_and_sac(tasks, config, done=0)

    def update(self, store: Tasks, generator: Generator) -> dict[str, float]:
        """Make one iteration, whose draws depend on the seed and its number only."""
        whole = np.random.SeedSequence((self._config.seed, self._iteration))
        seed = int(whole.generate_state(1)[0])
        torch.manual_seed(seed)
        np.random.seed(seed)
        self.model.action_space.seed(seed)
        self.model.learn(self._config.batch, reset_num_timesteps=False)
        self._iteration += 1
        mean = float(np.mean(self._env.take_returns()))
        return {"before": mean, "after": mean}

    def snapshot(self) -> dict[str, Tensor]:
        """Return everything that the next iteration needs of sb3's learner, and its number."""
        model, memory = self.model, self.model.replay_buffer
        found = tensor_file.flatten(LEARNED, exported(model)[1])
        found |= tensor_file.flatten("policy", model.policy.state_dict())
        found["log_ent_coef"] = _temperature(model).detach()
        for name, optimiser in _optimisers(model).items():
            for k, moments in optimiser.state_dict()["state"].items():
                found |= tensor_file.flatten(f"adam/{name}/{k}", moments)
        count = memory.size()
        for name in MEMORY:
            found[f"memory/{name}"] = torch.from_numpy(getattr(memory, name)[:count])
        counts = [self._iteration, model.num_timesteps, memory.pos, int(memory.full)]
        return found | {"counts": torch.tensor(counts)}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot."""
        self._iteration, steps, place, full = tensors["counts"].tolist()
        own = self._tasks, self._config, self._iteration
        self._env, self.model = model = environment_and_sac(*own)
        sac, memory = model[1], model[1].replay_buffer
        sac.policy.load_state_dict(tensor_file.unflatten("policy", tensors))
        with torch.no_grad():
            _temperature(sac).copy_(tensors["log_ent_coef"])
        for name, optimiser in _optimisers(sac).items():
            own_moments = tensor_file.unflatten(f"adam/{name}", tensors)
            state = optimiser.state_dict()
            numbers = {int(key.split("/")[0]) for key in own_moments}
            state["state"] = {k: tensor_file.unflatten(str(k), own_moments) for k in numbers}
            optimiser.load_state_dict(state)
        for name in MEMORY:
            rows = tensors[f"memory/{name}"].numpy()
            getattr(memory, name)[: len(rows)] = rows
        memory.pos, memory.full, sac.num_timesteps = place, bool(full), steps


def environment_and_sac(tasks: Tasks, config: SB3SACConfig, done: int) -> tuple[Any, Any]:
    """Make the environment and sb3's SAC, as they are before iteration `done`.

    Raises:
        UserError: the extra `rl` is not installed.
    """
    with extra("sb3_sac needs"):
        from stable_baselines3 import SAC

        from ros_mbmrl.learning.policies.vec_env import EnvironmentVecEnv

        own = (tasks, config.worlds, config.horizon, config.seed)
        env = EnvironmentVecEnv(*own, first_round=done)
        soft, actions = config.soft, len(tasks.robot.spec.action)
        fixed = soft.entropy is None
        model = SAC(
            "MlpPolicy",
            env,
            learning_rate=soft.learning_rate,
            buffer_size=min(config.size, config.budget + config.batch),
            learning_starts=config.first,
            batch_size=soft.rows,
            tau=soft.target_rate,
            gamma=soft.discount,
            train_freq=1,
            gradient_steps=config.updates * config.worlds,
            ent_coef=soft.temperature if fixed else f"auto_{soft.temperature}",
            target_entropy="auto" if soft.entropy is None else soft.entropy * actions,
            policy_kwargs={"net_arch": list(soft.hidden), "activation_fn": _unit(soft.activation)},
            seed=config.seed,
            device="cpu",
        )
    return env, silenced(model)


def exported(model: Any) -> tuple[SquashedPolicy, Parameters]:
    """Return sb3's actor as one of ours."""
    actor = model.policy.actor
    linear = [m for m in actor.latent_pi if isinstance(m, torch.nn.Linear)]
    parameters = Parameters()
    for k, layer in enumerate(linear):
        parameters[f"w{k}"] = layer.weight.detach().T.clone()
        parameters[f"b{k}"] = layer.bias.detach().clone()
    last, heads = len(linear), (actor.mu, actor.log_std)
    parameters[f"w{last}"] = torch.cat([head.weight.detach().T for head in heads], dim=1)
    parameters[f"b{last}"] = torch.cat([head.bias.detach() for head in heads])
    inputs = linear[0].in_features
    sizes = (inputs, *(layer.out_features for layer in linear), 2 * actor.mu.out_features)
    kind = "silu" if any(isinstance(m, torch.nn.SiLU) for m in actor.latent_pi) else "tanh"
    still = torch.zeros(inputs), torch.ones(inputs)
    return SquashedPolicy(MLP(sizes, kind), *still, NO_CLIP), parameters


def _unit(activation: str) -> type[torch.nn.Module]:
    return {"silu": torch.nn.SiLU, "tanh": torch.nn.Tanh}[activation]


def _temperature(model: Any) -> Tensor:
    """Return the logarithm of the temperature that is adapted, or the temperature that stays."""
    found = model.log_ent_coef if model.log_ent_coef is not None else model.ent_coef_tensor
    assert isinstance(found, Tensor)
    return found


def _optimisers(model: Any) -> dict[str, torch.optim.Optimizer]:
    found = {"actor": model.actor.optimizer, "critic": model.critic.optimizer}
    if model.ent_coef_optimizer is not None:
        found["temperature"] = model.ent_coef_optimizer
    return found


def train_sb3_sac(
    tasks: Tasks, config: SB3SACConfig, out: Path | None = None, progress: Progress = silent
) -> TrainedPolicy:
    """Train on situations that `tasks` draws. See `train_policy`.

    Raises:
        UserError: the extra `rl` is not installed, or the checkpoint is of another run.
    """
    learner = SB3SACLearner(tasks, config)
    curve = train_policy("sb3_sac", tasks, config, learner, out, progress)
    policy, parameters = exported(learner.model)
    return TrainedPolicy(policy, parameters, curve)


METHOD = PolicyMethod(SB3SACConfig, train_sb3_sac, across=False)
