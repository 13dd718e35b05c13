"""Worlds as the vectorised environment that Stable-Baselines3 steps (extra `rl`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from ros_mbmrl.policies.sampling import Tasks, observe, to_commands


class WorldsVecEnv(VecEnv):
    """N worlds stepped together, each in a newly drawn situation every `horizon` periods.

    Observations are features of states, actions from -1 to 1 in each command's range. An episode
    ends because its time is up, which sb3 is told, so that it bootstraps there.

    Round k of N episodes depends on `seed` and k only: `first_round` goes on from a checkpoint.
    """

    def __init__(
        self, tasks: Tasks, count: int, horizon: int, seed: int, first_round: int = 0
    ) -> None:
        self._tasks, self._horizon, self._seed = tasks, horizon, seed
        self._round = first_round
        self._totals = np.zeros(count)
        self._returns: list[float] = []
        self._actions = np.zeros(0)
        ones = np.ones(len(tasks.robot.spec.action), np.float32)
        wide = np.full(tasks.observations, np.inf, np.float32)
        super().__init__(count, spaces.Box(-wide, wide), spaces.Box(-ones, ones))

    def reset(self) -> NDArray[np.float32]:
        """Return the first observations (N, do) of the next round."""
        rng = np.random.default_rng((self._seed, self._round))
        self._round += 1
        self._worlds = self._tasks.make(*self._tasks.drawn(rng, self.num_envs))
        self._step = 0
        self._totals = np.zeros(self.num_envs)
        return self._observe()

    def step_async(self, actions: NDArray[np.float32]) -> None:
        """Take the actions (N, da) of the next period."""
        self._actions = to_commands(self._tasks.robot.spec, actions.astype(float))

    def step_wait(self) -> tuple[Any, Any, Any, list[dict[str, Any]]]:
        """Step one period; return observations, rewards, ends of episodes, and facts for sb3."""
        rewards = self._worlds.step(self._actions)
        self._totals += rewards
        self._step += 1
        seen = self._observe()
        ended = self._step == self._horizon
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if ended:
            self._returns += self._totals.tolist()
            infos = [{"terminal_observation": o, "TimeLimit.truncated": True} for o in seen]
            seen = self.reset()
        return seen, rewards.astype(np.float32), np.full(self.num_envs, ended), infos

    def take_returns(self) -> list[float]:
        """Return the returns of the episodes that ended since the last call."""
        taken, self._returns = self._returns, []
        return taken

    def _observe(self) -> NDArray[np.float32]:
        worlds = self._worlds
        seen = observe(worlds.robot, worlds.states(), worlds.goals)
        return np.asarray(seen.numpy())

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
