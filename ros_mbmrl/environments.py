"""The simulated robots as gymnasium environments; importing this module registers them.

    import gymnasium, ros_mbmrl.environments
    gymnasium.make("ros_mbmrl/HalfCheetahDisabled-v0", max_episode_steps=1000)

or in one: `gymnasium.make("ros_mbmrl.environments:ros_mbmrl/HalfCheetahDisabled-v0")`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.distributions import ROBOTS, TRAINING
from ros_mbmrl.simulation.situations import Situation

if TYPE_CHECKING:
    from ros_mbmrl.simulation.worlds import Worlds

STEPS = 200  # of an episode, where `max_episode_steps` does not say otherwise: 10 s

ENVIRONMENTS: Mapping[str, str] = MappingProxyType(
    {
        "ros_mbmrl/HalfCheetahDisabled-v0": "cheetah-disabled",
        "ros_mbmrl/HalfCheetahSlope-v0": "cheetah-slope",
        "ros_mbmrl/HalfCheetahPier-v0": "cheetah-pier",
        "ros_mbmrl/AntCrippled-v0": "ant-crippled",
        "ros_mbmrl/ArmForce-v0": "arm-force",
    }
)

Observation = NDArray[np.float64]


class SimulatedEnv(gymnasium.Env[Observation, NDArray[np.float32]]):
    """One robot in situations of an experiment's training distribution, a new one each episode.

    Observation: the model's features and, of a robot with a goal, the way there [m]. Reward: table
    5 of the thesis. Commands beyond the limits are clipped. It ends only if the physics break down.
    """

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(self, experiment: str, render_mode: str | None = None) -> None:
        self._experiment, self.render_mode = experiment, render_mode
        self._robot = make_robot(ROBOTS[experiment])
        spec = self._robot.spec
        self._low, self._high = spec.action_low, spec.action_high
        self.action_space = gymnasium.spaces.Box(
            self._low.astype(np.float32), self._high.astype(np.float32)
        )
        self._worlds = self._make(Situation(), seed=0)
        shape = self._observe().shape
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, shape, np.float64)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """A new episode; options={"situation": Situation(...)}: in that one."""
        super().reset(seed=seed)
        situation = (options or {}).get("situation") or TRAINING[self._experiment](self.np_random)
        self._worlds = self._make(situation, seed=int(self.np_random.integers(2**31)))
        return self._observe(), {"situation": situation}

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """One control period; info: faults that are present when it ends."""
        worlds = self._worlds
        allowed = np.clip(np.asarray(action, dtype=np.float64), self._low, self._high)
        (reward,) = worlds.step(allowed[None])
        info = {"faults": worlds.present(0)}
        return self._observe(), float(reward), bool(worlds.diverged[0]), False, info

    def _make(self, situation: Situation, seed: int) -> Worlds:
        from ros_mbmrl.simulation.worlds import make_worlds  # MuJoCo is not needed to register

        return make_worlds(self._robot.spec.name, [situation], [seed])

    def _observe(self) -> Observation:
        observation: Observation = observations(self._worlds)[0]
        return observation


def observations(worlds: Worlds) -> Observation:
    """What policies see of every robot (N, do): its features, and the way to its goal [m]."""
    import torch

    states = worlds.states()
    features: Observation = worlds.robot.features(torch.from_numpy(states)).numpy()
    aim = worlds.goals.shape[1]
    return np.hstack([features, worlds.goals - states[:, states.shape[1] - aim :]])


def register() -> None:
    """Make the environments known to `gymnasium.make`; those it knows already stay."""
    for name, experiment in ENVIRONMENTS.items():
        if name not in gymnasium.registry:
            gymnasium.register(
                id=name,
                entry_point="ros_mbmrl.environments:SimulatedEnv",
                kwargs={"experiment": experiment},
                max_episode_steps=STEPS,
            )


register()
