"""Robots whose MuJoCo models have the same sizes, rolled out together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.engine import Rollout, mujoco
from ros_mbmrl.simulation.simulated.base import Simulation


class Group:
    """The robots `indices` of an environment of N robots.

    Args:
        simulation: of their kind.
        indices: (n,).
        models: of each, all of the same sizes.
        states: (n, ...), full states of MuJoCo.
        sizes: numbers of positions and velocities that are the robot's own.
        datas: MuJoCo's scratch memory, one a thread.
    """

    def __init__(
        self,
        simulation: Simulation,
        indices: NDArray[np.intp],
        models: list[mujoco.MjModel],
        states: Array,
        sizes: tuple[int, int],
        datas: Sequence[mujoco.MjData],
    ) -> None:
        self.indices, self.models, self.states = indices, models, states
        self._datas, self._span = datas, simulation.tick
        self._qpos, self._qvel = places(models[0], sizes)
        self._inputs = mujoco.mjtState.mjSTATE_CTRL.value
        self._push = slice(0, 0)
        if simulation.pushed:
            self._inputs |= mujoco.mjtState.mjSTATE_XFRC_APPLIED.value
            body = mujoco.mj_name2id(models[0], mujoco.mjtObj.mjOBJ_BODY, simulation.pushed)
            self._push = slice(models[0].nu + 6 * body, models[0].nu + 6 * body + 3)
        self._size = mujoco.mj_stateSize(models[0], self._inputs)

    def measured(self) -> Array:
        """Return the measurements (n, dm)."""
        return self._measure(self.states)

    def physics(self, index: int) -> tuple[mujoco.MjModel, mujoco.MjData]:
        """Return model and data of robot `index` as it is now, to be drawn."""
        place = int(np.flatnonzero(self.indices == index)[0])
        model, whole = self.models[place], mujoco.mjtState.mjSTATE_FULLPHYSICS.value
        data = mujoco.MjData(model)
        mujoco.mj_setState(model, data, self.states[place], whole)
        mujoco.mj_forward(model, data)
        return model, data

    def _measure(self, states: Array) -> Array:
        """Return the measurements (..., dm) of full states of MuJoCo."""
        return np.concatenate([states[..., self._qpos], states[..., self._qvel]], axis=-1)

    def place(self, states: Array) -> None:
        """Take over positions and velocities of states (n, ds), which begin with them."""
        qpos = self._qpos.stop - self._qpos.start
        qvel = self._qvel.stop - self._qvel.start
        self.states[:, self._qpos] = states[:, :qpos]
        self.states[:, self._qvel] = states[:, qpos : qpos + qvel]

    def advance(
        self,
        rollout: Rollout,
        motors: Array,
        forces: Array,
        ticks: int,
        diverged: NDArray[np.bool_],
        ended: NDArray[np.bool_] | None = None,
    ) -> None:
        """Step `ticks` times those that have not ended.

        motors (N, da), forces (N, 3), diverged and ended (N,), None for none: of all robots.
        """
        over = np.zeros_like(diverged) if ended is None else ended
        own = np.repeat(motors[self.indices, None], ticks, axis=1)
        reached, well = self._roll(rollout, own, forces)
        diverged[self.indices] |= ~well[:, -1] & ~over[self.indices]
        going = ~(diverged | over)[self.indices]
        self.states[going] = reached[going, -1]

    def imagine(self, rollout: Rollout, motors: Array, forces: Array, substeps: int) -> Array:
        """Return measurements (n, K, H + 1, dm) under plans (N, K, H, da) and forces (N, 3)."""
        own = motors[self.indices]
        plans, horizon, commands = own.shape[1:]
        steps = np.repeat(own.reshape(-1, horizon, commands), substeps, axis=1)
        reached, well = self._roll(rollout, steps, forces, plans)
        measured = self._measure(reached)
        measured[~well] = np.nan
        ends = measured[:, substeps - 1 :: substeps].reshape(len(own), plans, horizon, -1)
        now = np.broadcast_to(self.measured()[:, None, None], (*ends.shape[:2], 1, ends.shape[3]))
        return np.concatenate([now, ends], axis=2)

    def _roll(
        self, rollout: Rollout, motors: Array, forces: Array, plans: int = 1
    ) -> tuple[Array, NDArray[np.bool_]]:
        """Roll out motors (n K, ticks, da): full states (n K, ticks, ...), and where they hold."""
        rows, ticks, commands = motors.shape
        inputs = np.zeros((rows, ticks, self._size))
        inputs[:, :, :commands] = motors
        if self._push.stop:
            inputs[:, :, self._push] = np.repeat(forces[self.indices], plans, axis=0)[:, None]
        self.states[:, 0] = 0.0
        reached = np.empty((rows, ticks, self.states.shape[1]))
        rollout.rollout(
            [model for model in self.models for _ in range(plans)],
            self._datas,
            np.repeat(self.states, plans, axis=0),
            inputs,
            control_spec=self._inputs,
            skip_checks=True,
            nstep=ticks,
            state=reached,
            sensordata=np.empty((rows, ticks, 0)),
        )
        # MuJoCo starts anew, at time 0, what it can no longer compute.
        due = self._span * np.arange(1, ticks + 1)
        well = np.isfinite(reached).all(2) & (np.abs(reached[:, :, 0] - due) < 1e-9)
        return reached, well


def places(model: mujoco.MjModel, sizes: tuple[int, int]) -> tuple[slice, slice]:
    """Return where a full state has the robot's own positions and velocities, of these `sizes`."""
    return slice(1, 1 + sizes[0]), slice(1 + model.nq, 1 + model.nq + sizes[1])
