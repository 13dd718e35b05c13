"""The simulated robots as gymnasium environments; importing this module registers them.

One environment for each experiment of section 9.4, and one for each row of
`simulation/benchmarks.py`: "me-trpo-hopper" is ros_mbmrl/MeTrpoHopper-v0.

    import gymnasium, ros_mbmrl.environments
    gymnasium.make("ros_mbmrl/HalfCheetahDisabled-v0", max_episode_steps=1000)

or in one: `gymnasium.make("ros_mbmrl.environments:ros_mbmrl/HalfCheetahDisabled-v0")`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.simulation.benchmarks import BENCHMARKS, make_benchmark
from ros_mbmrl.simulation.distributions import ROBOTS, TRAINING
from ros_mbmrl.simulation.environment import Observation
from ros_mbmrl.simulation.situations import Situation

STEPS = 200  # of an experiment's episode, where `max_episode_steps` does not say otherwise: 10 s

ENVIRONMENTS: Mapping[str, str] = MappingProxyType(
    {
        "ros_mbmrl/HalfCheetahDisabled-v0": "cheetah-disabled",
        "ros_mbmrl/HalfCheetahSlope-v0": "cheetah-slope",
        "ros_mbmrl/HalfCheetahPier-v0": "cheetah-pier",
        "ros_mbmrl/AntCrippled-v0": "ant-crippled",
        "ros_mbmrl/ArmForce-v0": "arm-force",
        **{
            f"ros_mbmrl/{''.join(word.capitalize() for word in name.split('-'))}-v0": name
            for name in BENCHMARKS
        },
    }
)


class SimulatedEnv(gymnasium.Env[Observation, NDArray[np.float32]]):
    """One robot in situations of a training distribution, a new one each episode.

    Observation: what policies see everywhere here, see `simulation.environment.observe`. Reward:
    table 5 of the thesis, or the benchmark's. Commands beyond the limits are clipped. An episode
    terminates if the physics break down, or where the benchmark says.

    Args:
        experiment: of section 9.4, or a row of `BENCHMARKS`.
    """

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(self, experiment: str, render_mode: str | None = None) -> None:
        from ros_mbmrl.simulation.simulated_robots import make_simulated  # not to register: MuJoCo

        self.render_mode = render_mode
        if experiment in BENCHMARKS:
            self._draw = BENCHMARKS[experiment].draw
            self._environment = make_benchmark(experiment, [Situation()], [0])
        else:
            self._draw = TRAINING[experiment]
            self._environment = make_simulated(ROBOTS[experiment], [Situation()], [0])
        spec = self._environment.robot.spec
        self._low, self._high = spec.action_low, spec.action_high
        self.action_space = gymnasium.spaces.Box(
            self._low.astype(np.float32), self._high.astype(np.float32)
        )
        shape = self._environment.observe()[0].shape
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, shape, np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode; options={"situation": Situation(...)}: in that one."""
        super().reset(seed=seed)
        situation = (options or {}).get("situation") or self._draw(self.np_random)
        own = int(self.np_random.integers(2**31))
        self._environment.reset(np.ones(1, dtype=bool), [situation], [own])
        return self._environment.observe()[0], {"situation": situation}

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Let one control period pass; info: faults that are present when it ends."""
        allowed = np.clip(np.asarray(action, dtype=np.float64), self._low, self._high)
        after = self._environment.step(allowed[None])
        info = {"faults": self._environment.present(0)}
        reward, terminated = float(after.reward[0]), bool(after.terminated[0])
        return after.observation[0], reward, terminated, bool(after.truncated[0]), info


def register() -> None:
    """Make the environments known to `gymnasium.make`; those it knows already stay."""
    for name, experiment in ENVIRONMENTS.items():
        if name not in gymnasium.registry:
            gymnasium.register(
                id=name,
                entry_point="ros_mbmrl.environments:SimulatedEnv",
                kwargs={"experiment": experiment},
                max_episode_steps=(
                    BENCHMARKS[experiment].horizon if experiment in BENCHMARKS else STEPS
                ),
            )


register()
