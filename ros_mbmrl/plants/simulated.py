"""Simulated robots, those of the thesis and those of files, each as a plant."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.plants.base import InProcess, Plant, PlantOptions, check_physics, within_limits
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.simulation.situations import (
    POSSIBLE,
    Situation,
    Terrain,
    TimedFault,
    postponed,
)

if TYPE_CHECKING:
    from ros_mbmrl.simulation.simulated_robots import SimulatedRobots

PUSH = "push"  # fault of a robot that can be pushed
PUSHED = (0.0, 0.0, -4.0)  # [N]; the largest force of the thesis, appendix E.2


class SimulatedPlant(InProcess):
    """A plant that observes and commands one `SimulatedRobots` in simulated time.

    latency: of commands [s], beside the robot's own.
    """

    def __init__(self, robots: SimulatedRobots, latency: float = 0.0) -> None:
        if len(robots) != 1:
            raise ValueError(f"expected one robot, got {len(robots)}")
        self.robots, self._latency = robots, latency
        self._spec, self._situation = robots.robot.spec, robots.situations[0]
        self._commands: deque[tuple[float, Array]] = deque()
        self._acting = self._spec.rest
        self._owed = 0.0
        self._shown: Shown | None = None

    @property
    def world(self) -> Shown:
        """Return the physics as they are now, to be shown while it moves."""
        if self._shown is None:
            self._shown = Shown(self.robots)
        return self._shown

    @property
    def time(self) -> float:
        """Simulated time since the start [s]."""
        return float(self.robots.times[0])

    def observe(self) -> Measurement:
        """Return the measurement of this instant. Raises RunError."""
        check_physics(bool(self.robots.diverged[0]), self.time)
        return Measurement(self.time, self.robots.observed()[0])

    def truth(self) -> Measurement:
        """Return what exact sensors would measure, for evaluation only; no controller may use it.

        Raises RunError.
        """
        check_physics(bool(self.robots.diverged[0]), self.time)
        return Measurement(self.time, self.robots.measurements()[0])

    def command(self, action: Array) -> None:
        """Apply an action (da,) within the limits after the latency. Raises ValueError."""
        allowed = within_limits(self._spec, action)
        own = self.robots.simulation.lateness(self.robots.present(0))
        due = self.time + self._latency + own
        # A latency that ends lets no command overtake those before it.
        last = self._commands[-1][0] if self._commands else due
        self._commands.append((max(due, last), allowed))

    def advance(self, duration: float) -> None:
        """Let `duration` [s] pass in whole ticks; the rest is added to the next call."""
        tick = self.robots.simulation.tick
        ticks = (self._owed + duration) / tick
        whole = math.floor(ticks + 1e-6)
        self._owed = max(0.0, (ticks - whole) * tick)
        while whole > 0:
            now = self.time
            while self._commands and self._commands[0][0] <= now + 1e-9:
                self._acting = self._commands.popleft()[1]
            part = whole
            if self._commands:
                due = math.ceil((self._commands[0][0] - now) / tick - 1e-6)
                part = min(whole, max(due, 1))
            self.robots.advance(self._acting[None], part)
            whole -= part
        if self._shown is not None:
            self._shown.update()

    def faults_from(self, second: float) -> None:
        """See `Scheduled.faults_from`."""
        self.robots.reschedule([postponed(self._situation, second)])

    def reset(self, seed: int) -> None:
        """See `Twin.reset`."""
        self.robots.reset(np.ones(1, dtype=bool), [self._situation], [seed])
        self._owed = 0.0
        self.stop()

    def effectiveness(self) -> Array:
        """See `Twin.effectiveness`; for training, no controller may use it."""
        return self.robots.simulation.powered(self.robots.present(0))

    def causes(self) -> Array:
        """See `Twin.causes`; for training, no controller may use it."""
        return self.robots.truth(self.robots.states()[None])[0, 0, : -len(self._spec.action)]

    def stop(self) -> None:
        """Set the torques to 0 at once, and forget commands on their way."""
        self._commands.clear()
        self._acting = self._spec.rest


class Shown:
    """Model and data of the only one of some robots, for a window; see `viewer.World`."""

    def __init__(self, robots: SimulatedRobots) -> None:
        self._robots = robots
        self.model, self.data = robots.physics(0)

    def update(self) -> None:
        """Take over where the robot is now, and what a fault made of its shapes."""
        model, data = self._robots.physics(0)
        self.model.geom_size[:] = model.geom_size
        for name in ("qpos", "qvel", "xpos", "xquat", "xmat", "geom_xpos", "geom_xmat"):
            getattr(self.data, name)[:] = getattr(data, name)
        self.data.time = self._robots.times[0]


@dataclass(frozen=True)
class SimulatedTwin:
    """Factory of the plant of the simulated robot called `robot`; see `plants.PLANTS`."""

    robot: str

    def check(self, options: PlantOptions) -> None:
        """Raise UserError for a situation this robot does not have, or a viewer."""
        self._situation(options)

    def make(self, robot: Robot, options: PlantOptions) -> Plant:
        """Return the robot on its terrain, with its fault. Raises UserError."""
        # Late: `check` needs no MuJoCo.
        from ros_mbmrl.simulation.simulated_robots import make_simulated

        situation = self._situation(options)
        return SimulatedPlant(
            make_simulated(self.robot, [situation], [options.seed]), options.delay
        )

    def _situation(self, options: PlantOptions) -> Situation:
        if options.viewer:
            raise UserError(f"viewer: robot '{self.robot}' has none: expected viewer:=false")
        possible = POSSIBLE[self.robot]
        terrain = parse_terrain(options.terrain, possible.terrains)
        if not options.fault:
            return Situation(terrain)
        fault = parse_timed_fault(
            options.fault, (*possible.faults, *((PUSH,) if possible.pushed else ()))
        )
        if fault.name == PUSH:
            return Situation(terrain, force=PUSHED, force_begin=fault.begin)
        return Situation(terrain, (fault,))


HALF_CHEETAH, ANT, ARM_7DOF = map(SimulatedTwin, ("half_cheetah", "ant", "arm_7dof"))
PR2_REACH, PR2_INSERTION, PR2_STACKING = map(
    SimulatedTwin, ("pr2_reach", "pr2_insertion", "pr2_stacking")
)
SWIMMER, SNAKE, HOPPER, WALKER2D, HUMANOID = map(
    SimulatedTwin, ("swimmer", "snake", "hopper", "walker2d", "humanoid")
)


def parse_terrain(text: str, known: Collection[str]) -> Terrain:
    """Parse KIND, slope@RADIANS or pier@SEED, of the kinds `known`. Raises UserError."""
    kind, at, after = text.partition("@")
    choose("terrain", kind, known)
    try:
        if kind == "slope":
            return Terrain(kind, angle=float(after))
        if kind == "pier" and at:
            return Terrain(kind, seed=int(after))
        if not at:
            return Terrain(kind)
    except ValueError:
        pass
    expected = "slope@RADIANS up to 0.7, pier@SEED, or a name alone"
    raise UserError(f"terrain '{text}': expected {expected}")


def parse_timed_fault(text: str, known: Collection[str]) -> TimedFault:
    """Parse NAME@SECONDS, of the faults `known`. Raises UserError."""
    name, _, after = text.partition("@")
    choose("fault", name, known)
    try:
        return TimedFault(name, float(after))
    except ValueError:
        expected = f"expected NAME@SECONDS, for example {name}@20"
        raise UserError(f"fault '{text}': {expected}") from None
