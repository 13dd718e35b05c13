"""TwinPlant: the hexapod's MuJoCo twin as a plant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.base import InProcess, check_physics, within_limits
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.simulation.calibration import make_grounds
from ros_mbmrl.simulation.faults import Fault
from ros_mbmrl.simulation.randomisation import NOMINAL, Physics
from ros_mbmrl.simulation.sensors import Sensors
from ros_mbmrl.simulation.world import HexapodWorld


@dataclass(frozen=True)
class TwinConfig:
    """Settings of the twin.

    Args:
        terrain: its name; `changing` for the real ones in turn.
        faults: with the times at which they begin.
        physics: of the robot and the ground.
        seed: of all random numbers.
        start: x [m], y [m], yaw [rad] of the robot at time 0.
    """

    terrain: str = "carpet"
    faults: tuple[Fault, ...] = ()
    physics: Physics = NOMINAL
    seed: int = 0
    start: tuple[float, float, float] = (0.0, 0.0, 0.0)


class TwinPlant(InProcess):
    """A plant that observes and commands a HexapodWorld in simulated time.

    Raises UserError for an unknown terrain and for a robot that has no twin.
    """

    _measurement: Measurement | None

    def __init__(self, robot: Robot, config: TwinConfig | HexapodWorld | None = None) -> None:
        if robot.spec.name != "hexapod":
            raise UserError(f"robot '{robot.spec.name}' has no twin: expected hexapod")
        self._spec = robot.spec
        if isinstance(config, HexapodWorld):
            self.world = config
        else:
            config = config or TwinConfig()
            (_, first), *later = make_grounds(config.terrain, config.seed)
            own = config.physics, config.faults, config.seed, config.start
            self.world = HexapodWorld(first, *own, later=later)
        self._begin(self.world.seed)

    def reset(self, seed: int) -> None:
        """Go back to the start and to time 0, with other random numbers."""
        self.world.reset(seed)
        self._begin(seed)

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
            self._measurement = self._sensors.read()
        return self._measurement

    def command(self, action: Array) -> None:
        """Apply set-points (2,) [rad/s] in the limits until the next command. Raises ValueError.

        After a lost packet the previous set-points stay.
        """
        allowed = within_limits(self._spec, action)
        if self._radio.random() >= self.world.effect.packet_loss:
            self.world.set_command(allowed)

    def advance(self, duration: float) -> None:
        """Let `duration` [s] of simulated time pass."""
        self.world.step(duration)
        self._measurement = None

    def faults_from(self, second: float) -> None:
        """See `Scheduled.faults_from`."""
        self.world.faults_from(second)

    def stop(self) -> None:
        """Set the set-points to 0, without radio and without latency."""
        self.world.halt()

    def clean_pose(self) -> tuple[float, float, float]:
        """Return true x [m], y [m] and yaw [rad], for evaluation only; no controller may use it."""
        return self.world.pose()

    def _begin(self, seed: int) -> None:
        sensors, radio = np.random.SeedSequence([seed, 1]).spawn(2)
        self._sensors = Sensors(self.world, np.random.default_rng(sensors))
        self._radio = np.random.default_rng(radio)
        self._measurement = None
