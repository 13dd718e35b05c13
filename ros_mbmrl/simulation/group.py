"""Robots whose MuJoCo models have the same sizes, rolled out together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.engine import Rollout, mujoco
from ros_mbmrl.simulation.simulated.base import Simulation, Spans

Held = tuple[mujoco.MjModel, Array, Array]  # of a robot: model, full state, controls


class Group:
    """The robots `indices` of an environment of N robots.

    Args:
        simulation: of their kind.
        indices: (n,).
        models: of each, all of the same sizes.
        states: (n, ...), full states of MuJoCo.
        sizes: numbers of positions and velocities that are the robot's own.
        datas: MuJoCo's scratch memory, one a thread.
        controls: (n, nu) of MuJoCo, which acted last; None: zeros.
    """

    def __init__(
        self,
        simulation: Simulation,
        indices: NDArray[np.intp],
        models: list[mujoco.MjModel],
        states: Array,
        sizes: tuple[int, int],
        datas: Sequence[mujoco.MjData],
        controls: Array | None = None,
    ) -> None:
        self.indices, self.models, self.states = indices, models, states
        self._simulation, self._datas, self._span = simulation, datas, simulation.tick
        self._spans = places(models[0], sizes)
        self.controls = np.zeros((len(models), models[0].nu)) if controls is None else controls
        self._inputs = mujoco.mjtState.mjSTATE_CTRL.value
        self._push = slice(0, 0)
        if simulation.pushed:
            self._inputs |= mujoco.mjtState.mjSTATE_XFRC_APPLIED.value
            body = mujoco.mj_name2id(models[0], mujoco.mjtObj.mjOBJ_BODY, simulation.pushed)
            self._push = slice(models[0].nu + 6 * body, models[0].nu + 6 * body + 3)
        self._size = mujoco.mj_stateSize(models[0], self._inputs)

    def measured(self) -> Array:
        """Return the measurements (n, dm)."""
        return self._measure(self.states, self.controls)

    def physics(self, index: int) -> tuple[mujoco.MjModel, mujoco.MjData]:
        """Return model and data of robot `index` as it is now, to be drawn."""
        place = int(np.flatnonzero(self.indices == index)[0])
        model, whole = self.models[place], mujoco.mjtState.mjSTATE_FULLPHYSICS.value
        data = mujoco.MjData(model)
        mujoco.mj_setState(model, data, self.states[place], whole)
        mujoco.mj_forward(model, data)
        return model, data

    def _measure(self, states: Array, controls: Array) -> Array:
        """Return the measurements (n, ..., dm) of full states of MuJoCo."""
        return self._simulation.measure(self.models, states, self._spans, controls)

    def place(self, states: Array) -> None:
        """Take over positions and velocities of states (n, ds)."""
        self._simulation.place(self.models, self.states, states, self._spans)
        self._simulation.settle(self.states, self._spans)

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
        self.controls[going] = self._simulation.controls(motors[self.indices])[going]

    def imagine(self, rollout: Rollout, motors: Array, forces: Array, substeps: int) -> Array:
        """Return measurements (n, K, H + 1, dm) under plans (N, K, H, da) and forces (N, 3)."""
        own = motors[self.indices]
        plans, horizon, commands = own.shape[1:]
        steps = np.repeat(own.reshape(-1, horizon, commands), substeps, axis=1)
        reached, well = self._roll(rollout, steps, forces, plans)
        last = slice(substeps - 1, None, substeps)  # ticks of control periods
        ends = reached[:, last].reshape(len(own), plans, horizon, -1)
        ends = self._measure(ends, self._simulation.controls(own))
        ends[~well[:, last].reshape(ends.shape[:3])] = np.nan
        now = np.broadcast_to(self.measured()[:, None, None], (*ends.shape[:2], 1, ends.shape[3]))
        return np.concatenate([now, ends], axis=2)

    def _roll(
        self, rollout: Rollout, motors: Array, forces: Array, plans: int = 1
    ) -> tuple[Array, NDArray[np.bool_]]:
        """Roll out motors (n K, ticks, da): full states (n K, ticks, ...), and where they hold."""
        rows, ticks, _ = motors.shape
        inputs = np.zeros((rows, ticks, self._size))
        inputs[:, :, : self.controls.shape[1]] = self._simulation.controls(motors)
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
            sensordata=np.empty((rows, ticks, self.models[0].nsensordata)),
        )
        # MuJoCo starts anew, at time 0, what it can no longer compute.
        due = self._span * np.arange(1, ticks + 1)
        well = np.isfinite(reached).all(2) & (np.abs(reached[:, :, 0] - due) < 1e-9)
        return reached, well


def grouped(
    simulation: Simulation,
    held: Mapping[int, Held],
    sizes: tuple[int, int],
    datas: dict[int, list[mujoco.MjData]],
    threads: int,
) -> list[Group]:
    """Put robots together whose models have the same sizes, by their index in order.

    held: model, full state and last controls of each robot. sizes: see `Group`. datas: scratch
    memory by the sizes of models, which is added to, one a thread.
    """
    alike: dict[int, list[int]] = {}
    for index in range(len(held)):
        alike.setdefault(held[index][0].signature, []).append(index)
    groups = []
    for signature, indices in alike.items():
        models = [held[index][0] for index in indices]
        if signature not in datas:
            datas[signature] = [mujoco.MjData(models[0]) for _ in range(threads)]
        states, controls = (np.array([held[i][part] for i in indices]) for part in (1, 2))
        own = states, sizes, datas[signature], controls
        groups.append(Group(simulation, np.array(indices), models, *own))
    return groups


def places(model: mujoco.MjModel, sizes: tuple[int, int]) -> Spans:
    """Return where a full state has the robot's own positions and velocities, of these `sizes`."""
    return slice(1, 1 + sizes[0]), slice(1 + model.nq, 1 + model.nq + sizes[1])
