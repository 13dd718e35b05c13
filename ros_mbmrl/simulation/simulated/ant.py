"""gymnasium's ant, and a leg of it that is crippled."""

from __future__ import annotations

from collections.abc import Collection
from types import MappingProxyType

import numpy as np

from ros_mbmrl.robots.ant import MOTORS, Ant
from ros_mbmrl.robots.bodies import BODIES
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.simulated.base import Simulation, gymnasium_model
from ros_mbmrl.simulation.situations import Terrain

NOISE = 0.1  # of the start: half-width of positions, deviation of velocities; gymnasium's
HEIGHT = 0.65  # of the torso at the start [m]: the feet just above the ground

# A leg's upper and lower geom, by its number.
_GEOMS = MappingProxyType(
    {
        1: ("left_leg_geom", "left_ankle_geom"),
        2: ("right_leg_geom", "right_ankle_geom"),
        3: ("back_leg_geom", "third_ankle_geom"),
        4: ("rightback_leg_geom", "fourth_ankle_geom"),
    }
)


class AntSimulation(Simulation):
    """See `Simulation`.

    A crippled leg, as in iclavera/learning_to_adapt, `ant_env.py`: no torque, both parts half as
    thick, the upper half as long, and of the lower only the half next to the knee. Its mass stays.
    """

    robot = Ant()
    body = "torso"
    score = BODIES["ant"].usual_score

    def specification(self, terrain: Terrain) -> mujoco.MjSpec:
        """The body on its floor."""
        return gymnasium_model("ant")

    def start(
        self, model: mujoco.MjModel, terrain: Terrain, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Upright, ankles bent as the model's `init_qpos` has them."""
        qpos = model.numeric("init_qpos").data + rng.uniform(-NOISE, NOISE, model.nq)
        qpos[2] += HEIGHT - model.numeric("init_qpos").data[2]
        qpos[3:7] /= np.linalg.norm(qpos[3:7])
        return qpos, NOISE * rng.standard_normal(model.nv)

    def powered(self, present: Collection[str]) -> Array:
        """A crippled leg's motors give nothing."""
        return np.array([float(f"leg_{name[-1]}_crippled" not in present) for name in MOTORS])

    def broken(self, present: Collection[str]) -> frozenset[str]:
        """Return all of them."""
        return frozenset(present)

    def wreck(self, model: mujoco.MjModel, broken: frozenset[str]) -> None:
        """See `Simulation.wreck`. Bounds of geoms stay: what shrinks is within them."""
        for leg, (upper, lower) in _GEOMS.items():
            if f"leg_{leg}_crippled" in broken:
                model.geom(upper).size[:2] /= 2
                model.geom(lower).size[:2] /= 2
                model.geom(lower).pos[:] /= 2
