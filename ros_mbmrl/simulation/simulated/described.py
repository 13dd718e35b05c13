"""DescribedSimulation: the twin of a robot that a file describes."""

from __future__ import annotations

import copy
import math
from collections.abc import Collection, Sequence

import numpy as np

from ros_mbmrl.robots.described.changes import Change
from ros_mbmrl.robots.described.description import Description
from ros_mbmrl.robots.described.robot import described_robot
from ros_mbmrl.robots.described.twin_reading import errors, read_twin
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.model_files import read_model, told
from ros_mbmrl.simulation.simulated.base import Simulation, Spans
from ros_mbmrl.simulation.simulated.drives import complete, controls, find_drives, integrate
from ros_mbmrl.simulation.simulated.layout import Layout
from ros_mbmrl.simulation.simulated.named import apply, identity
from ros_mbmrl.simulation.situations import Factors, RandomParameters, Terrain

FULL = mujoco.mjtState.mjSTATE_FULLPHYSICS


class DescribedSimulation(Simulation):
    """See `Simulation`.

    Args:
        description: of the robot, with a section `twin`.

    Raises:
        UserError: the section or its model is wrong; the message has the line.
    """

    tasked = True

    def __init__(self, description: Description) -> None:
        self.robot = described_robot(description)
        self.twin = twin = read_twin(description)
        self._description = description
        self.deviations = np.array([twin.noise.get(name, 0.0) for name in errors(description)])
        self._base = self._compiled()
        self.late = round(twin.latency / self.tick)
        self.layout = Layout(self._base, description, twin)
        self._data = mujoco.MjData(self._base)
        self._begin = self._posture()
        self._check_changes()

    def specification(self, terrain: Terrain) -> mujoco.MjSpec:
        """Return the file's model, with a step of physics that divides the control period."""
        spec = read_model(self.twin.place("model"), self._description.file.parent)
        self.substeps = math.ceil(self.robot.spec.period / spec.option.timestep - 1e-6)
        spec.option.timestep = self.tick
        return spec

    def model(self, terrain: Terrain, physics: Factors) -> mujoco.MjModel:
        """Return a copy of the model, which was compiled once."""
        model = copy.copy(self._base)
        if physics != Factors():
            for name in ("mass", "friction", "gear", "damping"):
                factor = getattr(physics, name)
                apply(model, Change("", "", name, factor, factor), factor)
            mujoco.mj_setConst(model, mujoco.MjData(model))
        return model

    def start(
        self, model: mujoco.MjModel, terrain: Terrain, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Draw joints around the keyframe, or else around the model's own posture."""
        qpos, spread = self._begin.copy(), self.twin.spread
        if spread:
            for name in self._description.joints:
                joint = self.layout.joint(name)
                place, limits = model.jnt_qposadr[joint], model.jnt_range[joint]
                qpos[place] += rng.uniform(-spread, spread)
                if model.jnt_limited[joint]:
                    qpos[place] = np.clip(qpos[place], *limits)
        return qpos, np.zeros(model.nv)

    def powered(self, present: Collection[str]) -> Array:
        """Return the product of what faults leave of each command."""
        names, shares = self._commands, np.ones(len(self._commands))
        for change in self._changes(present, "command"):
            shares[names.index(change.name)] *= change.low
        return shares

    def broken(self, present: Collection[str]) -> frozenset[str]:
        """Return the faults that change the model."""
        outside = ("command", "sensor")
        return frozenset(
            name
            for name in present
            if any(c.of not in outside and c.quantity != "latency" for c in self.twin.faults[name])
        )

    def wreck(self, model: mujoco.MjModel, broken: frozenset[str]) -> None:
        """See `Simulation.wreck`."""
        for name in sorted(broken):
            for change in self.twin.faults[name]:
                apply(model, change, change.low)
        mujoco.mj_setConst(model, mujoco.MjData(model))

    def randomise(self, model: mujoco.MjModel, parameters: RandomParameters) -> None:
        """Draw from the file's ranges: factors evenly by their logarithm, values evenly."""
        rng = np.random.default_rng(parameters.seed)
        for change in self.twin.randomise:
            apply(model, change, _drawn(change, rng))
        mujoco.mj_setConst(model, mujoco.MjData(model))

    def controls(self, motors: Array) -> Array:
        """See `Simulation.controls`."""
        return controls(self._drives, self._commands, self._rest, motors)

    def measure(
        self, models: Sequence[mujoco.MjModel], states: Array, spans: Spans, controls: Array
    ) -> Array:
        """See `Simulation.measure`; one after the other, as kinematics are needed."""
        found = np.empty((*states.shape[:-1], len(self.robot.spec.measurement)))
        for index in np.ndindex(states.shape[:-1]):
            if not np.isfinite(states[index]).all():
                found[index] = np.nan
                continue
            mujoco.mj_setState(models[index[0]], self._data, states[index], FULL)
            self._data.ctrl[:] = controls[index]
            found[index] = self.layout.measure(models[index[0]], self._data)
        return found

    def place(
        self, models: Sequence[mujoco.MjModel], full: Array, states: Array, spans: Spans
    ) -> None:
        """See `Simulation.place`."""
        for row, state in zip(full, states, strict=True):
            self.layout.put(state, row[spans[0]], row[spans[1]])

    def move(self, full: Array, start: tuple[float, float, float], spans: Spans) -> None:
        """See `Simulation.move`."""
        self.layout.move(full[spans[0]], start)

    def settle(self, full: Array, spans: Spans) -> None:
        """Begin set-points of integrated rates where the joints are, so that 0 holds them."""
        model, first = self._base, spans[1].stop
        for drive in self._drives:
            if drive.joint >= 0:
                at = first + int(model.actuator_actadr[drive.number])
                full[:, at] = full[:, spans[0]][:, model.jnt_qposadr[drive.joint]]

    def offset(self, present: Collection[str]) -> Array:
        """See `Simulation.offset`."""
        names, off = errors(self._description), np.zeros(len(self.deviations))
        for change in self._changes(present, "sensor"):
            off[names.index(change.name)] += change.low
        return off

    def disturbed(self, measured: Array, errors: Array) -> Array:
        """See `Simulation.disturbed`."""
        return self.layout.disturbed(measured, errors) if errors.any() else measured

    def lateness(self, present: Collection[str]) -> float:
        """See `Simulation.lateness`."""
        late = (c.low for c in self._changes(present, "") if c.quantity == "latency")
        return self.twin.latency + sum(late)

    @property
    def _commands(self) -> tuple[str, ...]:
        return tuple(limit.name for limit in self.robot.spec.action)

    def _changes(self, present: Collection[str], of: str) -> list[Change]:
        found = (change for name in sorted(present) for change in self.twin.faults[name])
        return [change for change in found if change.of == of]

    def _compiled(self) -> mujoco.MjModel:
        """Compile the model, twice if commands are integrated: ranges are known only then."""
        spec = self.specification(Terrain())
        model = self._compile(spec)
        if complete(spec, model, self._description, self.twin):
            model = self._compile(spec)
        self._drives = find_drives(model, self._description, self.twin)
        if any(drive.joint >= 0 for drive in self._drives):
            integrate(spec, model, self._drives)
            model = self._compile(spec)
        return model

    def _compile(self, spec: mujoco.MjSpec) -> mujoco.MjModel:
        try:
            return spec.compile()
        except ValueError as error:
            raise self.twin.place("model").error(told(error)) from None

    def _posture(self) -> Array:
        """Return the positions (nq,) that a robot begins with, and note the controls at rest."""
        model, key = self._base, self.twin.keyframe
        if not key:
            self._rest = np.zeros(model.nu)
            return np.array(model.qpos0)
        number = identity(model, "keyframe", key, self.twin.place("keyframe"))
        self._rest = np.array(model.key_ctrl[number])
        return np.array(model.key_qpos[number])

    def _check_changes(self) -> None:
        """Refuse things that the model does not have, before anything fails."""
        model = copy.copy(self._base)
        for change in (*self.twin.randomise, *(c for f in self.twin.faults.values() for c in f)):
            apply(model, change, change.low)


def _drawn(change: Change, rng: np.random.Generator) -> float:
    if change.low > 0:
        return float(np.exp(rng.uniform(np.log(change.low), np.log(change.high))))
    return float(rng.uniform(change.low, change.high))
