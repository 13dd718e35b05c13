"""PR2World: the PR2's left arm, stepped in simulated time.

The robot's own safety law runs at every millisecond, as on the robot: whatever is commanded, the
motors get what `limit_efforts` lets through. The counterbalance carries the arm, not a payload.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from ros_mbmrl.robots.pr2_limits import limit_efforts
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.share import sim_path
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.pr2_faults import (
    FAULTS,
    NOMINAL,
    ArmEffect,
    ArmFault,
    ArmPhysics,
    combine,
)
from ros_mbmrl.simulation.twin_world import TwinWorld

TICKS_PER_SECOND = 1000  # the PR2's own control rate
TICK = 1 / TICKS_PER_SECOND  # [s]
NOTHING = 1e-6  # mass of an empty hand [kg]: MuJoCo has no body without
CUBE = 0.06  # edge of the payload [m]

# In front of the robot, elbow bent, every joint well within its soft limits [rad].
START = (0.6, 0.3, 1.0, -1.2, 0.3, -0.8, 0.0)
SPREAD = 0.15  # of the angles at the start around it, uniform [rad]


class PR2World(TwinWorld):
    """The arm. See `TwinWorld`."""

    kind, ticks_per_second = ArmFault, TICKS_PER_SECOND

    def __init__(
        self,
        physics: ArmPhysics = NOMINAL,
        faults: Sequence[ArmFault] = (),
        seed: int = 0,
        start: Sequence[float] | Array | None = None,
    ) -> None:
        super().__init__(faults)
        self.physics = physics
        self.model = mujoco.MjModel.from_xml_path(str(sim_path("pr2_arm.xml")))
        self.data = mujoco.MjData(self.model)
        self._spare = mujoco.MjData(self.model)
        # Views, taken once: reaching through MuJoCo's bindings costs as much as a physics step.
        self._qpos, self._qvel, self._ctrl = self.data.qpos, self.data.qvel, self.data.ctrl
        self._payload = mujoco.mj_name2id(self.model, mujoco.mjtObj.mjOBJ_BODY, "payload")
        self._push = self.data.xfrc_applied[self._payload]
        self._damping = self.model.dof_damping.copy()
        self._friction = self.model.dof_frictionloss.copy()
        self._start = start
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """Back to the start, at rest; where no start was given, somewhere around `START`."""
        self.seed = seed
        rng = np.random.default_rng(seed)
        self._begin()
        self._commands: deque[tuple[float, Array]] = deque()
        self._torque = np.zeros(7)
        mujoco.mj_resetData(self.model, self.data)
        around = np.array(START) + rng.uniform(-SPREAD, SPREAD, 7)
        self._qpos[:] = around if self._start is None else self._start
        self._apply(ArmEffect())
        self._switch_faults()
        mujoco.mj_forward(self.model, self.data)

    def set_command(self, torques: Array) -> None:
        """Torques (7,) [N m]; they reach the motors after the latency, and stay."""
        self._commands.append((self.time + self.physics.latency, np.array(torques, dtype=float)))

    def halt(self) -> None:
        """Torques 0 from now on; commands under way are forgotten."""
        self._commands.clear()
        self._torque = np.zeros(7)

    def position(self) -> Array:
        """True joint angles (7,) [rad], unwrapped."""
        return np.array(self._qpos)

    def velocity(self) -> Array:
        """True joint velocities (7,) [rad/s]."""
        return np.array(self._qvel)

    def points(self) -> Array:
        """True x, y, z of the tool's points (9,) [m]."""
        mujoco.mj_kinematics(self.model, self.data)
        return np.array(self.data.site_xpos).reshape(9)

    def effort(self) -> Array:
        """Torques (7,) [N m] that the motors gave in the last tick."""
        return np.array(self._ctrl)

    def effectiveness(self) -> Array:
        """Return the share of each torque that acts now, (7,), but for the robot's own law."""
        return np.array(self._share)

    def causes(self) -> Array:
        """Return payload [kg] and push [N] (4,), in the order of the specification."""
        return np.array([self.model.body_mass[self._payload] - NOTHING, *self._push[:3]])

    def _tick(self) -> None:
        now = self.time
        self._switch_faults()
        while self._commands and self._commands[0][0] <= now + 1e-9:
            self._torque = self._commands.popleft()[1]
        self._ctrl[:] = self._share * limit_efforts(self._qpos, self._qvel, self._torque)
        mujoco.mj_step(self.model, self.data)
        self._ticks += 1

    def _take_effect(self) -> None:
        self._apply(combine(FAULTS[name] for name in sorted(self.active_faults)))

    def _apply(self, effect: ArmEffect) -> None:
        """Write this arm's physics and the effect of its faults into the model."""
        physics, model = self.physics, self.model
        self._share = np.array(physics.efforts)
        model.dof_damping[:] = self._damping * physics.damping
        model.dof_frictionloss[:] = self._friction * physics.friction
        for k, share in effect.weak.items():
            self._share[k] *= share
        for k, friction in effect.stiff.items():
            model.dof_frictionloss[k] += friction
        mass = physics.payload + effect.payload + NOTHING
        model.body_mass[self._payload] = mass
        model.body_inertia[self._payload] = mass * CUBE**2 / 6
        # Inertias that MuJoCo derives from these; it works at the zero posture, on other data.
        mujoco.mj_setConst(model, self._spare)
        model.geom("payload").rgba[3] = float(mass > 2 * NOTHING)
        self._push[:3] = np.add(physics.push, effect.push)
