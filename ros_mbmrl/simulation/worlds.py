"""Worlds: many simulated robots of one kind, stepped together over threads.

Faults switch at the edges of control periods. What becomes of one robot depends on its situation,
its seed and its commands; not on the others, nor on the number of threads. A step starts from
positions and velocities alone (no warm start of the solver is carried over), so the state that is
measured is the whole state, up to the blocks of a pier.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.robots.rewards import Reach
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.robots.task import Task
from ros_mbmrl.simulation.engine import Rollout, mujoco
from ros_mbmrl.simulation.simulated import make_simulation
from ros_mbmrl.simulation.simulated.base import Simulation
from ros_mbmrl.simulation.situations import Factors, Situation, Terrain, check_situation

PHYSICS = mujoco.mjtState.mjSTATE_FULLPHYSICS  # time, qpos, qvel, ...

_Key = tuple[Terrain, Factors]


class Worlds:
    """N robots of one kind, each in its situation. Made by `make_worlds`.

    goals: (N, goals) [m], of robots that have any. diverged: (N,) whether its physics broke down;
    such a robot stays where it last was, and is rewarded for that, until its state is set.
    """

    def __init__(
        self,
        simulation: Simulation,
        situations: Sequence[Situation],
        seeds: Sequence[int],
        threads: int = 1,
    ) -> None:
        if len(situations) != len(seeds) or len(seeds) == 0:
            raise ValueError(f"expected a seed each, got {len(situations)} and {len(seeds)}")
        self.simulation, self.situations = simulation, tuple(situations)
        self.goals = np.zeros((len(seeds), simulation.goals))
        self.diverged = np.zeros(len(seeds), dtype=bool)
        spec = simulation.robot.spec
        self._low, self._high = spec.action_low, spec.action_high
        self._models = _Models(simulation)
        self._ticks = 0
        self._powered = np.ones((len(seeds), len(spec.action)))
        self._forces = np.zeros((len(seeds), 3))
        self._switches = _switches(simulation, self.situations)
        self._rollout = Rollout(nthread=threads if threads > 1 else 0)
        self._groups = self._grouped(seeds, threads)

    def __len__(self) -> int:
        return len(self.situations)

    @property
    def robot(self) -> Robot:
        """Of what kind they all are."""
        return self.simulation.robot

    @property
    def time(self) -> float:
        """Simulated time since the start [s]."""
        return self._ticks * self.simulation.tick

    def tasks(self) -> list[Task]:
        """Each robot's task of the thesis, table 5, with its own goal if it has one."""
        robot, goals = self.robot, self.goals
        if goals.shape[1]:
            return [Reach(len(robot.spec.state) - goals.shape[1], goal) for goal in goals]
        (name,) = robot.tasks()
        return [robot.make_task(name, state) for state in self.states()]

    def measurements(self) -> Array:
        """What is measured now, without noise: (N, dm)."""
        measured = np.empty((len(self), len(self.robot.spec.measurement)))
        for group in self._groups:
            measured[group.indices] = group.measured()
        return measured

    def states(self) -> Array:
        """True states (N, ds)."""
        return self.robot.estimate(self.measurements(), None, self.robot.spec.period)

    def set_states(self, states: Array) -> None:
        """Put the robots into states (N, ds); time goes on, and blocks of a pier stay."""
        expected = (len(self), len(self.robot.spec.state))
        if np.shape(states) != expected or not np.isfinite(states).all():
            raise ValueError(f"states: expected finite ones of shape {expected}")
        for group in self._groups:
            group.place(states[group.indices])
        self.diverged[:] = False

    def step(self, actions: Array) -> Array:
        """One control period under commands (N, da): rewards (N,) of table 5.

        Raises ValueError for commands beyond the robot's limits.
        """
        before = self.states()
        self.advance(actions, self.simulation.substeps)
        return self.simulation.reward(before, np.asarray(actions), self.states(), self.goals)

    def advance(self, actions: Array, ticks: int) -> None:
        """`ticks` steps of physics under commands (N, da). Raises ValueError, as `step`."""
        motors = self._clipped(actions, self._powered.shape)
        end = self._ticks + ticks
        while self._ticks < end:
            if self._ticks in self._switches:
                self._switch()
            ahead = [each for each in self._switches if each > self._ticks]
            part = min([end, *ahead]) - self._ticks
            powered = self._powered * motors
            for group in self._groups:
                group.advance(self._rollout, powered, self._forces, part, self.diverged)
            self._ticks += part

    def imagine(self, actions: Array) -> Array:
        """What would become of the robots under K plans each (N, K, H, da): (N, K, H + 1, ds).

        From where they are, with faults and forces as they are now; NaN from where the physics
        breaks down. The worlds themselves stay as they are. Raises ValueError, as `step`.
        """
        shape = (len(self), *np.shape(actions)[1:3], self._powered.shape[1])
        motors = self._clipped(actions, shape)
        if self._ticks in self._switches:
            self._switch()
        motors = self._powered[:, None, None] * motors
        count, plans, horizon, _ = shape
        measured = np.empty((count, plans, horizon + 1, len(self.robot.spec.measurement)))
        for group in self._groups:
            reached = group.imagine(self._rollout, motors, self._forces, self.simulation.substeps)
            measured[group.indices] = reached
        rows = measured.reshape(-1, measured.shape[-1])
        states = self.robot.estimate(rows, None, self.robot.spec.period)
        return states.reshape(count, plans, horizon + 1, -1)

    def _clipped(self, actions: Array, shape: tuple[int, ...]) -> Array:
        clipped = np.clip(actions, self._low, self._high) if np.shape(actions) == shape else None
        # A comparison with NaN is false. Limits may have been through float32.
        if clipped is None or not (np.abs(clipped - actions) <= 1e-4).all():
            raise ValueError(f"actions: expected {shape} within the limits")
        return clipped

    def present(self, index: int) -> frozenset[str]:
        """Faults that robot `index` has in the control period that begins now."""
        edges = (
            (each.name, _edge(self.simulation, each.begin), _edge(self.simulation, each.end))
            for each in self.situations[index].faults
        )
        return frozenset(name for name, begin, end in edges if begin <= self._ticks < end)

    def _switch(self) -> None:
        for group in self._groups:
            for place, index in enumerate(group.indices):
                situation, present = self.situations[index], self.present(int(index))
                self._powered[index] = self.simulation.powered(present)
                pushed = self._ticks >= _edge(self.simulation, situation.force_begin)
                self._forces[index] = np.array(situation.force) * pushed
                broken = self.simulation.broken(present)
                group.models[place] = self._models.get(situation, broken)

    def _grouped(self, seeds: Sequence[int], threads: int) -> list[_Group]:
        models = [self._models.get(each, frozenset()) for each in self.situations]
        starts = []
        for index, (situation, seed) in enumerate(zip(self.situations, seeds, strict=True)):
            rng = np.random.default_rng(seed)
            starts.append(self.simulation.start(models[index], situation.terrain, rng))
            drawn = self.simulation.goal(rng)
            self.goals[index] = drawn if situation.goal is None else situation.goal
        alike: dict[int, list[int]] = {}
        for index, model in enumerate(models):
            alike.setdefault(model.signature, []).append(index)
        return [
            _Group(
                self.simulation,
                np.array(indices),
                [models[index] for index in indices],
                [starts[index] for index in indices],
                threads,
            )
            for indices in alike.values()
        ]


@dataclass
class _Models:
    """Compiled models, one for every terrain, physics, and set of faults that change it."""

    simulation: Simulation

    def __post_init__(self) -> None:
        self._intact: dict[_Key, mujoco.MjModel] = {}
        self._broken: dict[tuple[_Key, frozenset[str]], mujoco.MjModel] = {}

    def get(self, situation: Situation, broken: frozenset[str]) -> mujoco.MjModel:
        key = (situation.terrain, situation.physics)
        if key not in self._intact:
            self._intact[key] = self.simulation.model(*key)
        if not broken:
            return self._intact[key]
        if (key, broken) not in self._broken:
            model = copy.copy(self._intact[key])
            self.simulation.wreck(model, broken)
            self._broken[key, broken] = model
        return self._broken[key, broken]


class _Group:
    """Robots whose models have the same sizes: MuJoCo rolls out such ones together."""

    def __init__(
        self,
        simulation: Simulation,
        indices: NDArray[np.intp],
        models: list[mujoco.MjModel],
        starts: Sequence[tuple[Array, Array]],
        threads: int,
    ) -> None:
        self.indices, self.models = indices, models
        self._datas = [mujoco.MjData(models[0]) for _ in range(max(threads, 1))]
        self._span = simulation.tick
        model = models[0]
        qpos, qvel = (len(part) for part in starts[0])
        self._qpos = slice(1, 1 + qpos)
        self._qvel = slice(1 + model.nq, 1 + model.nq + qvel)
        self._states = np.empty((len(indices), mujoco.mj_stateSize(model, PHYSICS)))
        for row, (model, (position, velocity)) in enumerate(zip(models, starts, strict=True)):
            mujoco.mj_getState(model, mujoco.MjData(model), self._states[row], PHYSICS)
            self._states[row, self._qpos], self._states[row, self._qvel] = position, velocity
        self._inputs = mujoco.mjtState.mjSTATE_CTRL.value
        self._push = slice(0, 0)
        if simulation.pushed:
            self._inputs |= mujoco.mjtState.mjSTATE_XFRC_APPLIED.value
            body = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, simulation.pushed)
            self._push = slice(model.nu + 6 * body, model.nu + 6 * body + 3)
        self._size = mujoco.mj_stateSize(model, self._inputs)

    def measured(self) -> Array:
        """(n, dm)."""
        return self._measure(self._states)

    def _measure(self, states: Array) -> Array:
        """(..., dm) of full states of MuJoCo."""
        return np.concatenate([states[..., self._qpos], states[..., self._qvel]], axis=-1)

    def place(self, states: Array) -> None:
        """Positions and velocities from states (n, ds), which begin with them."""
        qpos = self._qpos.stop - self._qpos.start
        qvel = self._qvel.stop - self._qvel.start
        self._states[:, self._qpos] = states[:, :qpos]
        self._states[:, self._qvel] = states[:, qpos : qpos + qvel]

    def advance(
        self,
        rollout: Rollout,
        motors: Array,
        forces: Array,
        ticks: int,
        diverged: NDArray[np.bool_],
    ) -> None:
        """`ticks` steps; motors (N, da), forces (N, 3), diverged (N,) of all robots."""
        own = np.repeat(motors[self.indices, None], ticks, axis=1)
        reached, well = self._roll(rollout, own, forces)
        diverged[self.indices] |= ~well[:, -1]
        going = ~diverged[self.indices]
        self._states[going] = reached[going, -1]

    def imagine(self, rollout: Rollout, motors: Array, forces: Array, substeps: int) -> Array:
        """Measurements (n, K, H + 1, dm); motors (N, K, H, da), forces (N, 3) of all robots."""
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
        """States of MuJoCo (n K, ticks, ...) under motors (n K, ticks, da), and which are well."""
        rows, ticks, commands = motors.shape
        inputs = np.zeros((rows, ticks, self._size))
        inputs[:, :, :commands] = motors
        if self._push.stop:
            inputs[:, :, self._push] = np.repeat(forces[self.indices], plans, axis=0)[:, None]
        self._states[:, 0] = 0.0
        reached = np.empty((rows, ticks, self._states.shape[1]))
        rollout.rollout(
            [model for model in self.models for _ in range(plans)],
            self._datas,
            np.repeat(self._states, plans, axis=0),
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


def _edge(simulation: Simulation, seconds: float) -> float:
    """The first edge of a control period at or after `seconds`, in steps of physics."""
    if math.isinf(seconds):
        return seconds
    return math.ceil(seconds / simulation.robot.spec.period - 1e-6) * simulation.substeps


def _switches(simulation: Simulation, situations: Sequence[Situation]) -> list[int]:
    """Edges at which something changes for somebody, in steps of physics."""
    moments = {each.force_begin for each in situations}
    for situation in situations:
        for fault in situation.faults:
            moments |= {fault.begin, fault.end}
    return sorted(int(_edge(simulation, each)) for each in moments if math.isfinite(each))


def make_worlds(
    robot_name: str, situations: Sequence[Situation], seeds: Sequence[int], threads: int = 1
) -> Worlds:
    """Robots of the kind `robot_name`, one for each situation and seed of its start and goal.

    Raises UserError for a robot that is not simulated, or what its situations cannot be.
    """
    for situation in situations:
        check_situation(robot_name, situation)
    return Worlds(make_simulation(robot_name), situations, seeds, threads)
