"""An environment as the vectorised environment that Stable-Baselines3 steps (extra `rl`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from ros_mbmrl.policies.sampling import Tasks, to_commands
from ros_mbmrl.simulation.environment import Environment, Flags


class EnvironmentVecEnv(VecEnv):
    """N rows stepped together, each in a newly drawn situation every `horizon` periods.

    Observations are those of the environment, actions from -1 to 1 in each command's range. An
    episode ends because its time is up, which sb3 is told, so that it bootstraps there; or because
    it terminated: then only this row begins anew, until the time of all is up.

    Round k of N episodes depends on `seed` and k only: `first_round` goes on from a checkpoint.
    """

    def __init__(
        self, tasks: Tasks, count: int, horizon: int, seed: int, first_round: int = 0
    ) -> None:
        self._tasks, self._horizon, self._seed = tasks, horizon, seed
        self._round = first_round
        self._environment: Environment | None = None
        self._step = 0
        self._totals = np.zeros(count)
        self._returns: list[float] = []
        self._actions = np.zeros(0)
        ones = np.ones(len(tasks.robot.spec.action), np.float32)
        wide = np.full(tasks.observations, np.inf, np.float32)
        super().__init__(count, spaces.Box(-wide, wide), spaces.Box(-ones, ones))

    def reset(self) -> NDArray[np.float32]:
        """Return the first observations (N, do) of the next round."""
        self._step = 0
        self._begin(np.ones(self.num_envs, dtype=bool), (self._seed, self._round))
        self._round += 1
        return self._rows.observe()

    def step_async(self, actions: NDArray[np.float32]) -> None:
        """Take the actions (N, da) of the next period."""
        self._actions = to_commands(self._tasks.robot.spec, actions.astype(float))

    def step_wait(self) -> tuple[Any, Any, Any, list[dict[str, Any]]]:
        """Step one period; return observations, rewards, ends of episodes, and facts for sb3."""
        after = self._rows.step(self._actions)
        self._totals += after.reward
        self._step += 1
        up = self._step == self._horizon
        ended, seen = after.terminated | after.truncated | up, after.observation
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for n in np.flatnonzero(ended):
            truncated = not after.terminated[n]
            infos[n] = {"terminal_observation": seen[n], "TimeLimit.truncated": truncated}
            self._returns.append(float(self._totals[n]))
        if up:
            seen = self.reset()
        elif ended.any():
            self._begin(ended, (self._seed, self._round - 1, self._step))
            seen = self._rows.observe()
        return seen, after.reward.astype(np.float32), ended, infos

    @property
    def _rows(self) -> Environment:
        if self._environment is None:
            raise RuntimeError("expected a reset before the first step")
        return self._environment

    def _begin(self, mask: Flags, entropy: tuple[int, ...]) -> None:
        """Begin anew in the rows of `mask` (N,), in situations that `entropy` decides."""
        drawn = self._tasks.drawn(np.random.default_rng(entropy), int(mask.sum()))
        self._totals[mask] = 0.0
        if self._environment is None:
            self._environment = self._tasks.make(*drawn)
        else:
            self._environment.reset(mask, *drawn)

    def take_returns(self) -> list[float]:
        """Return the returns of the episodes that ended since the last call."""
        taken, self._returns = self._returns, []
        return taken

    def close(self) -> None:
        """Do nothing: nothing is held open."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return `render_mode` alone: nothing is drawn."""
        if attr_name != "render_mode":
            raise AttributeError(attr_name)
        return [None] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refuse: worlds have no attributes that sb3 may set."""
        raise AttributeError(attr_name)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **_: Any) -> list[Any]:
        """Refuse: worlds have no methods that sb3 may call."""
        raise AttributeError(method_name)

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """Return False for each: no wrapper is used."""
        return [False] * self.num_envs

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Do nothing: rounds are seeded when the environment is made."""
        return [None] * self.num_envs
