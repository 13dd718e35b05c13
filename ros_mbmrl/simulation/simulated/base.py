"""Simulation: one kind of simulated robot, as `SimulatedRobots` uses it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from importlib.resources import files
from xml.etree import ElementTree

import numpy as np

from ros_mbmrl.robots.running import Score
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.environment import Flags
from ros_mbmrl.simulation.situations import Factors, RandomParameters, Situation, Terrain

Spans = tuple[slice, slice]  # of a full state of MuJoCo: a robot's own positions, and velocities


class Simulation(ABC):
    """A robot's MuJoCo models, how it starts, what breaks, and what it is rewarded for.

    The first joints of a model are the robot's, in the order of its measurement, which is all
    positions and then all velocities. substeps: steps of physics in a control period. body: its
    outermost body. goals: numbers of a goal, for the last ones of a state. pushed: the body that
    `Situation.force` acts on, at its centre of mass; empty: none. score: of a runner. deviations:
    (de,) standard deviations, at noise 1, of what a measurement may be off by; see `disturbed`.
    tasked: rewarded by the robot's first task, as it has no reward of its own.
    late: steps of physics after which a command acts, one control period at most.
    """

    robot: Robot
    substeps: int = 5
    body: str
    goals: int = 0
    pushed: str = ""
    score: Score | None = None
    deviations: Array = np.zeros(0)
    tasked: bool = False
    late: int = 0

    @property
    def tick(self) -> float:
        """Length of a step of physics [s]."""
        return self.robot.spec.period / self.substeps

    def edge(self, seconds: float) -> float:
        """Return the first edge of a control period at or after `seconds`, in steps of physics."""
        if math.isinf(seconds):
            return seconds
        return math.ceil(seconds / self.robot.spec.period - 1e-6) * self.substeps

    def edges(self, situation: Situation) -> list[float]:
        """Return the edges at which something changes in a situation; infinity is one of them."""
        moments = {situation.force_begin, math.inf}
        for fault in situation.faults:
            moments |= {fault.begin, fault.end}
        moments |= {change.begin for change in situation.changes}
        return [self.edge(each) for each in moments]

    def model(self, terrain: Terrain, physics: Factors) -> mujoco.MjModel:
        """Compile the intact robot on `terrain`."""
        model = self.specification(terrain).compile()
        if physics != Factors():
            self._scale(model, physics)
        return model

    @abstractmethod
    def specification(self, terrain: Terrain) -> mujoco.MjSpec:
        """Return the specification to compile."""

    @abstractmethod
    def start(
        self, model: mujoco.MjModel, terrain: Terrain, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Draw the robot's own qpos and qvel to begin with."""

    def goal(self, rng: np.random.Generator) -> Array:
        """Draw a goal (goals,), of a robot that has one."""
        return np.zeros(self.goals)

    def powered(self, present: Collection[str]) -> Array:
        """Return the share left of each command (da,), 0 to 1, under the faults `present`."""
        return np.ones(len(self.robot.spec.action))

    def broken(self, present: Collection[str]) -> frozenset[str]:
        """Return those of the faults `present` that change the model."""
        return frozenset()

    def wreck(self, model: mujoco.MjModel, broken: frozenset[str]) -> None:
        """Change the numbers of a model, never its sizes, by faults that change it."""
        raise NotImplementedError(f"{self.robot.spec.name}: no fault changes its model")

    def controls(self, motors: Array) -> Array:
        """Return MuJoCo's controls (..., nu) for commands (..., da); here they are the same."""
        return motors

    def measure(
        self, models: Sequence[mujoco.MjModel], states: Array, spans: Spans, controls: Array
    ) -> Array:
        """Return measurements (n, ..., dm).

        Args:
            models: of n robots.
            states: full ones of MuJoCo (n, ..., s).
            spans: where these have the robot's own positions and velocities.
            controls: of MuJoCo (n, ..., nu), which acted last.
        """
        return np.concatenate([states[..., span] for span in spans], axis=-1)

    def place(
        self, models: Sequence[mujoco.MjModel], full: Array, states: Array, spans: Spans
    ) -> None:
        """Put states (n, ds), which begin with positions and velocities, into full ones (n, s)."""
        first = 0
        for span in spans:
            count = span.stop - span.start
            full[:, span] = states[:, first : first + count]
            first += count

    def move(self, full: Array, start: tuple[float, float, float], spans: Spans) -> None:
        """Move the base of a full state (s,) to x, y [m] and yaw [rad]."""
        raise NotImplementedError(f"{self.robot.spec.name}: no base to move")

    def settle(self, full: Array, spans: Spans) -> None:  # noqa: B027
        """Set what else of full states (n, s) follows from where robots begin; here nothing."""

    def offset(self, present: Collection[str]) -> Array:
        """Return what a measurement is off by (de,) under the faults `present`."""
        return np.zeros(len(self.deviations))

    def disturbed(self, measured: Array, errors: Array) -> Array:
        """Return measurements (n, dm) that are off by errors (n, de); here there are none."""
        return measured

    def lateness(self, present: Collection[str]) -> float:
        """Return how much later [s] commands act under the faults `present`."""
        return 0.0

    def causes(self, situation: Situation, states: Array, pushed: Flags) -> Array:
        """Return the causes (T, k) that the robot's specification names, in states (T, ds).

        pushed: (T,), whether the situation's force acts. Here it names none.
        """
        return np.zeros((len(states), 0))

    def reward(
        self, before: Array, actions: Array, after: Array, goals: Array, courses: Array
    ) -> Array:
        """Return rewards (N,) for states (N, ds) a period apart, commands (N, da).

        courses: (N, 4), see `Course.values`; goals: (N, g). Here the score of a runner.
        """
        if self.score is None:
            raise NotImplementedError(f"{self.robot.spec.name}: no score")
        return np.asarray(self.score.reward(before, actions, after, courses))

    def randomise(self, model: mujoco.MjModel, parameters: RandomParameters) -> None:
        """Multiply the parameters of a model by what is drawn; see `RandomParameters`."""
        rng, spread = np.random.default_rng(parameters.seed), parameters.spread
        scaled = {"body_mass": 1.5, "body_inertia": 1.5, "dof_damping": 1.3, "geom_friction": 1.5}
        for name, base in scaled.items():
            values = getattr(model, name)
            values *= base ** rng.uniform(-spread, spread, values.shape)
        mujoco.mj_setConst(model, mujoco.MjData(model))

    def _scale(self, model: mujoco.MjModel, physics: Factors) -> None:
        root = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, self.body)
        bodies = model.body_rootid == root
        model.body_mass[bodies] *= physics.mass
        model.body_inertia[bodies] *= physics.mass
        model.body_mass[root] *= physics.trunk
        model.body_inertia[root] *= physics.trunk
        model.dof_damping[bodies[model.dof_bodyid]] *= physics.damping
        model.geom_friction *= physics.friction
        model.actuator_gear *= physics.gear
        mujoco.mj_setConst(model, mujoco.MjData(model))


def gymnasium_model(name: str, without: Sequence[str] = ()) -> mujoco.MjSpec:
    """A model of gymnasium's, `name` without ending, and without some of the world's bodies.

    `settotalmass` is left out: newer MuJoCos warn of it, and it counts what terrain adds.
    """
    xml = (files("gymnasium") / "envs" / "mujoco" / "assets" / f"{name}.xml").read_text()
    root = ElementTree.fromstring(xml)
    for compiler in root.iter("compiler"):
        compiler.attrib.pop("settotalmass", None)
    for world in root.iter("worldbody"):
        for body in [each for each in world if each.get("name") in without]:
            world.remove(body)
    return mujoco.MjSpec.from_string(ElementTree.tostring(root, encoding="unicode"))
