"""gymnasium's pusher without what it pushes: an arm whose tip a force can act on."""

from __future__ import annotations

import numpy as np

from ros_mbmrl.robots.arm_7dof import TIP, Arm7Dof, tip_of
from ros_mbmrl.robots.rewards import reaching_reward
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.environment import Flags
from ros_mbmrl.simulation.simulated.base import Simulation, gymnasium_model
from ros_mbmrl.simulation.situations import Situation, Terrain

START = (0.0, 0.2, 0.0, -1.2, 0.0, -0.5, 0.0)  # elbow bent, well within the joints' ranges [rad]
SPREAD = 0.1  # half-width of the angles at the start around it [rad]
DRIFT = 0.005  # half-width of the velocities at the start [rad/s]; gymnasium's

# Postures that goals are drawn from, so that every goal can be reached: ranges [rad].
_POSTURES = np.array(
    [(-0.8, 0.8), (-0.3, 0.7), (-0.6, 0.6), (-1.9, -0.7), (-0.6, 0.6), (-0.8, -0.2), (0.0, 0.0)]
)


class ArmSimulation(Simulation):
    """See `Simulation`."""

    robot = Arm7Dof()
    body = "r_shoulder_pan_link"
    goals = 3
    pushed = "tips_arm"  # its centre of mass is the tip

    def specification(self, terrain: Terrain) -> mujoco.MjSpec:
        """The arm alone."""
        return gymnasium_model("pusher_v5", without=("object", "goal"))

    def start(
        self, model: mujoco.MjModel, terrain: Terrain, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Around one posture, all but at rest."""
        return START + rng.uniform(-SPREAD, SPREAD, 7), rng.uniform(-DRIFT, DRIFT, 7)

    def goal(self, rng: np.random.Generator) -> Array:
        """Draw the tip's place in some posture (3,) [m]."""
        return tip_of(rng.uniform(*_POSTURES.T))

    def causes(self, situation: Situation, states: Array, pushed: Flags) -> Array:
        """The force on the tip, from when it acts."""
        return np.outer(pushed, situation.force)

    def reward(
        self, before: Array, actions: Array, after: Array, goals: Array, courses: Array
    ) -> Array:
        """The tip near its goal."""
        return np.asarray(reaching_reward(after[:, TIP:], goals))
