"""PR2TwinPlant: the arm's MuJoCo twin as a plant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.base import InProcess, Plant, PlantOptions, check_physics, within_limits
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.pr2_kinematics import tool_points
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.simulation.pr2_faults import NOMINAL, ArmFault, ArmPhysics

if TYPE_CHECKING:
    from ros_mbmrl.simulation.pr2 import PR2World

ANGLE_NOISE = 1e-4  # standard deviation of an encoder [rad]; chosen, of the order of its resolution
SPEED_NOISE = 5e-3  # of a velocity, which the robot computes by differences [rad/s]; chosen


class PR2TwinPlant(InProcess):
    """A plant that observes and commands a PR2World in simulated time.

    Raises UserError for a robot that is not the arm.
    """

    _measurement: Measurement | None

    def __init__(self, robot: Robot, world: PR2World) -> None:
        if robot.spec.name != "pr2_arm":
            raise UserError(f"robot '{robot.spec.name}' has another twin: expected pr2_arm")
        self._spec = robot.spec
        self.world = world
        self._begin()

    def reset(self, seed: int) -> None:
        """Go back to the start and to time 0, with other random numbers."""
        self.world.reset(seed)
        self._begin()

    def effectiveness(self) -> Array:
        """See `Twin.effectiveness`; for training, no controller may use it."""
        return self.world.effectiveness()

    def causes(self) -> Array:
        """See `Twin.causes`; for training, no controller may use it."""
        return self.world.causes()

    def observe(self) -> Measurement:
        """Return the measurement of this instant, the same if asked twice. Raises RunError."""
        check_physics(self.world.diverged, self.world.time)
        if self._measurement is None:
            world, noise = self.world, self.world.physics.sensor_noise
            angle = world.position() + noise * ANGLE_NOISE * self._rng.standard_normal(7)
            speed = world.velocity() + noise * SPEED_NOISE * self._rng.standard_normal(7)
            values = np.concatenate([angle, speed, tool_points(angle)])
            self._measurement = Measurement(world.time, values)
        return self._measurement

    def command(self, action: Array) -> None:
        """Apply torques (7,) [N m] within the limits until the next command. Raises ValueError."""
        allowed = within_limits(self._spec, action)
        self.world.set_command(allowed)

    def advance(self, duration: float) -> None:
        """Let `duration` [s] of simulated time pass."""
        self.world.step(duration)
        self._measurement = None

    def faults_from(self, second: float) -> None:
        """See `Scheduled.faults_from`."""
        self.world.faults_from(second)

    def stop(self) -> None:
        """Set the torques to 0 at once."""
        self.world.halt()

    def _begin(self) -> None:
        self._rng = np.random.default_rng([self.world.seed, 1])
        self._measurement = None


def make_arm(
    robot: Robot,
    physics: ArmPhysics = NOMINAL,
    faults: Sequence[ArmFault] = (),
    seed: int = 0,
) -> PR2TwinPlant:
    """Return a new twin of the arm."""
    from ros_mbmrl.simulation.pr2 import PR2World  # late: `check` needs no MuJoCo

    return PR2TwinPlant(robot, PR2World(physics, faults, seed))


def check(options: PlantOptions) -> None:
    """Raise UserError for an unknown fault."""
    if options.fault:
        ArmFault.parse(options.fault)
    if options.viewer:
        raise UserError("viewer: the arm's twin has none: expected viewer:=false")


def make(robot: Robot, options: PlantOptions) -> Plant:
    """Return the twin near its start posture. Raises UserError."""
    check(options)
    faults = (ArmFault.parse(options.fault),) if options.fault else ()
    physics = ArmPhysics(latency=options.delay, sensor_noise=options.noise)
    return make_arm(robot, physics, faults, options.seed)
