"""The simulated robots as gymnasium environments; importing this module registers them.

One environment for each experiment of section 9.4, and one for each row of
`simulation/benchmarks.py`: "me-trpo-hopper" is ros_mbmrl/MeTrpoHopper-v0.

    import gymnasium, ros_mbmrl.environments
    gymnasium.make("ros_mbmrl/HalfCheetahDisabled-v0", max_episode_steps=1000)

or in one: `gymnasium.make("ros_mbmrl.environments:ros_mbmrl/HalfCheetahDisabled-v0")`. Many robots
at once: `gymnasium.make_vec(name, num_envs=64, vectorization_mode="vector_entry_point")`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium.utils.seeding import np_random
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.benchmarks import BENCHMARKS, make_benchmark
from ros_mbmrl.simulation.distributions import ROBOTS, TRAINING
from ros_mbmrl.simulation.environment import Flags, Observation
from ros_mbmrl.simulation.situations import Situation

if TYPE_CHECKING:
    from ros_mbmrl.simulation.render import Camera
    from ros_mbmrl.simulation.simulated_robots import SimulatedRobots

SIZE = 640, 480  # width and height of pictures
FPS = 20  # of a robot with the usual period; each environment has its own
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


Draw = Callable[[np.random.Generator], Situation]


def _made(experiment: str, count: int) -> tuple[Draw, SimulatedRobots]:
    """Return what draws an experiment's situations, and so many robots of it."""
    from ros_mbmrl.simulation.simulated_robots import make_simulated  # not to register: MuJoCo

    situations, seeds = [Situation()] * count, [0] * count
    if experiment in BENCHMARKS:
        return BENCHMARKS[experiment].draw, make_benchmark(experiment, situations, seeds)
    return TRAINING[experiment], make_simulated(ROBOTS[experiment], situations, seeds)


def _spaces(robots: SimulatedRobots) -> tuple[Any, Any]:
    """Return the spaces of a robot's observations and actions."""
    spec, shape = robots.robot.spec, robots.observe()[0].shape
    low, high = spec.action_low.astype(np.float32), spec.action_high.astype(np.float32)
    seen = gymnasium.spaces.Box(-np.inf, np.inf, shape, np.float32)
    return seen, gymnasium.spaces.Box(low, high)


def _allowed(robots: SimulatedRobots, actions: NDArray[np.float32]) -> Array:
    """Return commands within the limits."""
    spec = robots.robot.spec
    return np.clip(np.asarray(actions, dtype=np.float64), spec.action_low, spec.action_high)


class SimulatedEnv(gymnasium.Env[Observation, NDArray[np.float32]]):
    """One robot in situations of a training distribution, a new one each episode.

    Observation: what policies see everywhere here, see `simulation.environment.observe`. Reward:
    table 5 of the thesis, or the benchmark's. Commands beyond the limits are clipped. An episode
    terminates if the physics break down, or where the benchmark says.

    Args:
        experiment: of section 9.4, or a row of `BENCHMARKS`.
        render_mode: rgb_array for pictures (480, 640, 3), from a camera that follows the robot.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": FPS}

    def __init__(self, experiment: str, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self._draw, self._environment = _made(experiment, 1)
        self.observation_space, self.action_space = _spaces(self._environment)
        period = self._environment.robot.spec.period
        self.metadata = {**self.metadata, "render_fps": round(1.0 / period)}
        self._camera: Camera | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode; options={"situation": Situation(...)}: in that one."""
        super().reset(seed=seed)
        situation, own = _drawn(self._draw, self.np_random, options)
        self._environment.reset(np.ones(1, dtype=bool), [situation], [own])
        return self._environment.observe()[0], {"situation": situation}

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Let one control period pass; info: faults that are present when it ends."""
        after = self._environment.step(_allowed(self._environment, action)[None])
        info = {"faults": self._environment.present(0)}
        reward, terminated = float(after.reward[0]), bool(after.terminated[0])
        return after.observation[0], reward, terminated, bool(after.truncated[0]), info

    def render(self) -> Any:
        """Return a picture (480, 640, 3) of now, or None without a render mode.

        Raises:
            RunError: no picture can be drawn here.
        """
        if self.render_mode is None:
            return None
        from ros_mbmrl.simulation.render import Camera  # MuJoCo

        if self._camera is None:
            self._camera = Camera(*SIZE)
        return self._camera.picture(*self._environment.physics(0))

    def close(self) -> None:
        """Free what pictures are drawn with."""
        if self._camera is not None:
            self._camera.close()


class SimulatedVectorEnv(
    gymnasium.vector.VectorEnv[Observation, NDArray[np.float32], NDArray[Any]]
):
    """N robots that are stepped together; each row is what `SimulatedEnv` is alone.

    Row i of a reset with seed s is the environment with seed s + i. A row whose episode is over
    begins another one in the next step, which counts for nothing (`AutoresetMode.NEXT_STEP`).

    Args:
        experiment: see `SimulatedEnv`.
        num_envs: N.
        max_episode_steps: after which an episode is truncated; None for never.
        render_mode: None; there are no pictures of several robots.
    """

    metadata: dict[str, Any] = {
        "render_modes": [],
        "autoreset_mode": gymnasium.vector.AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        experiment: str,
        num_envs: int = 1,
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        if render_mode is not None:
            raise UserError(f"render_mode '{render_mode}': several robots have none")
        self.num_envs, self.render_mode = num_envs, render_mode
        self._draw, self._environment = _made(experiment, num_envs)
        spaces = _spaces(self._environment)
        self.single_observation_space, self.single_action_space = spaces
        self.observation_space = batch_space(spaces[0], num_envs)
        self.action_space = batch_space(spaces[1], num_envs)
        self._limit = np.inf if max_episode_steps is None else max_episode_steps
        self._steps, self._over = np.zeros(num_envs, dtype=int), np.zeros(num_envs, dtype=bool)
        self._rngs = [np.random.default_rng() for _ in range(num_envs)]

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode in every row; options as `SimulatedEnv.reset`."""
        if isinstance(seed, int):
            seed = [seed + row for row in range(self.num_envs)]
        for row, own in enumerate(seed or ()):
            if own is not None:
                self._rngs[row], _ = np_random(own)
        info = self._begin(np.ones(self.num_envs, dtype=bool), {}, options)
        return self._environment.observe(), info

    def step(
        self, actions: NDArray[np.float32]
    ) -> tuple[Observation, Array, Flags, Flags, dict[str, Any]]:
        """Let one control period pass in rows whose episode goes on, and begin anew in others."""
        begun = self._over
        after = self._environment.step(_allowed(self._environment, actions))
        self._steps += 1
        terminated = after.terminated & ~begun
        truncated = (after.truncated | (self._steps >= self._limit)) & ~begun
        info: dict[str, Any] = {}
        for row in np.flatnonzero(~begun).tolist():
            info = self._add_info(info, {"faults": self._environment.present(row)}, row)
        seen = after.observation
        if begun.any():
            info = self._begin(begun, info, None)
            seen = self._environment.observe()
        self._over = terminated | truncated
        return seen, np.where(begun, 0.0, after.reward), terminated, truncated, info

    def _begin(
        self, rows: Flags, info: dict[str, Any], options: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Begin episodes in some rows (N,); return the info with their situations."""
        which = np.flatnonzero(rows).tolist()
        drawn = [_drawn(self._draw, self._rngs[row], options) for row in which]
        situations, seeds = [each[0] for each in drawn], [each[1] for each in drawn]
        self._environment.reset(rows, situations, seeds)
        self._steps[which], self._over = 0, self._over & ~rows
        for row, situation in zip(which, situations, strict=True):
            info = self._add_info(info, {"situation": situation}, row)
        return info


def _drawn(
    draw: Draw, rng: np.random.Generator, options: dict[str, Any] | None
) -> tuple[Situation, int]:
    """Return a situation, the one in the options if there is one, and a seed of the episode."""
    situation = (options or {}).get("situation") or draw(rng)
    return situation, int(rng.integers(2**31))


def register() -> None:
    """Make the environments known to `gymnasium.make`; those it knows already stay."""
    for name, experiment in ENVIRONMENTS.items():
        if name not in gymnasium.registry:
            gymnasium.register(
                id=name,
                entry_point="ros_mbmrl.environments:SimulatedEnv",
                vector_entry_point="ros_mbmrl.environments:SimulatedVectorEnv",
                kwargs={"experiment": experiment},
                max_episode_steps=(
                    BENCHMARKS[experiment].horizon if experiment in BENCHMARKS else STEPS
                ),
            )


register()
