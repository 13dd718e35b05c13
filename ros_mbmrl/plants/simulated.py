"""The simulated robots of the thesis, each as a plant."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.plants.base import InProcess, Plant, PlantOptions, check_physics, within_limits
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.simulation.situations import POSSIBLE, Situation, Terrain, TimedFault

if TYPE_CHECKING:
    from ros_mbmrl.simulation.simulated_robots import SimulatedRobots

PUSH = "push"  # fault of a robot that can be pushed
PUSHED = (0.0, 0.0, -4.0)  # [N]; the largest force of the thesis, appendix E.2


class SimulatedPlant(InProcess):
    """A plant that observes and commands one `SimulatedRobots` in simulated time.

    Its measurements have no noise, as in the thesis. latency: of commands [s].
    """

    def __init__(self, robots: SimulatedRobots, latency: float = 0.0) -> None:
        if len(robots) != 1:
            raise ValueError(f"expected one robot, got {len(robots)}")
        self.robots, self._latency = robots, latency
        self._spec = robots.robot.spec
        self._commands: deque[tuple[float, Array]] = deque()
        self._acting = self._spec.rest
        self._owed = 0.0

    @property
    def time(self) -> float:
        """Simulated time since the start [s]."""
        return float(self.robots.times[0])

    def observe(self) -> Measurement:
        """Return the measurement of this instant. Raises RunError."""
        check_physics(bool(self.robots.diverged[0]), self.time)
        return Measurement(self.time, self.robots.measurements()[0])

    def command(self, action: Array) -> None:
        """Apply an action (da,) within the limits after the latency. Raises ValueError."""
        allowed = within_limits(self._spec, action)
        self._commands.append((self.time + self._latency, allowed))

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

    def stop(self) -> None:
        """Set the torques to 0 at once, and forget commands on their way."""
        self._commands.clear()
        self._acting = self._spec.rest


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
