"""The VelociRoACH's microcontroller in front of the twin: packets in, packets out.

The PID law: biomimetics/roach, `lib/pid-ip2.5.c`, UpdatePID.
"""

from __future__ import annotations

import struct

import numpy as np

from ros_mbmrl.plants.wire import units
from ros_mbmrl.plants.wire import velociroach as v
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.sensors import Sensors
from ros_mbmrl.simulation.world import TICK, HexapodWorld

VERSION = "VelociRoACH twin, emulated radio"
UPDATES = 10  # of the PID in a tick: 1 kHz
LONG = 1 << 31


class Pid:
    """The integer PID of one side: `duty` of 4000, `target` position of the leg [counts]."""

    LIMIT = 3800

    def __init__(self) -> None:
        self.gains = (0, 0, 0, 0, 0)
        self.duty, self.target, self._position, self._sum = 0, 0, 0, 0

    def start(self, position: int) -> None:
        """Start from the present position of the leg."""
        self.target = self._position = position
        self._sum = 0

    def update(self, position: int, speed: int) -> None:
        """Update 1 ms later: the leg is at `position` [counts], to move at `speed` [counts/ms]."""
        proportional, integral, derivative, anti_windup, forward = self.gains
        self.target += speed
        error = self.target - position
        speed_error = speed - (position - self._position)
        self._position = position
        wanted = (
            forward
            + (proportional * error >> 12)
            + ((integral * self._sum >> 12) >> 4)
            + (derivative * speed_error >> 4)
        )
        self.duty = min(max(wanted, -self.LIMIT), self.LIMIT)
        self._sum += error >> 4
        if wanted != self.duty:
            self._sum += int(anti_windup * (self.duty - wanted) / 100)
        self._sum = min(max(self._sum, -LONG), LONG - 1)


class RadioSensors(Sensors):
    """The twin's sensors, each read when it is due; losses on the way belong to the line."""

    def telemetry(self) -> Array:
        """Return gyro, accelerometer, legs, back-EMF, battery (11,) of this instant."""
        return self._read_telemetry()

    def pose(self) -> tuple[Array, float]:
        """Return position and quaternion (7,), and the time [s] at which they were true."""
        return self._read_pose()


class Firmware:
    """The firmware: executes packets. It has no watchdog: only PID_STOP and timed runs end a run.

    The calibrated twin's motor already includes the firmware's PID and the real motor as a closed
    loop, and moves the legs. The PID here, on the encoders, computes the duties of the telemetry.
    """

    def __init__(self, world: HexapodWorld, rng: np.random.Generator, version: str = VERSION):
        self.world, self.version = world, version
        self.sensors = RadioSensors(world, rng)
        self._blocked: Array | None = None
        self._pids = (Pid(), Pid())
        self._on = False
        self._ends = np.inf  # end of a timed run, on the world's clock
        self._wanted = (0, 0)  # [counts/ms]
        self._zero = (0, 0)
        self._samples = 0
        self._before = self._counts()

    @property
    def running(self) -> bool:
        """Return whether the PID controls the motors."""
        return self._on

    @property
    def driven(self) -> bool:
        """Return whether the motors should turn."""
        return self._on and any(self._wanted)

    def block(self, blocked: bool) -> None:
        """Hold the legs where they are, or release them."""
        if not blocked:
            self._blocked = None
        elif self._blocked is None:
            self._blocked = self.world.leg_angles()

    def handle(self, packet: bytes, lag: float = 0.0) -> list[bytes]:
        """Return the answers to a packet; `lag`: time since the world's last tick [s]."""
        if len(packet) < 2:
            return []
        kind, data = packet[1], packet[2:]
        try:
            return self._do(kind, data, lag)
        except struct.error:  # too short: the real firmware would read the bytes behind it
            return []

    def tick(self) -> None:
        """Let 10 ms pass."""
        if self.world.time >= self._ends:
            self._stop()
        turns = self._on and self._blocked is None
        wanted = self._wanted if turns else (0, 0)
        self.world.set_command(units.SET_POINT * np.array(wanted, dtype=np.float64))
        self.world.step(TICK)
        now = self._counts()
        if self._on:
            for pid, old, new, speed in zip(
                self._pids, self._before, now, self._wanted, strict=True
            ):
                for k in range(1, UPDATES + 1):
                    pid.update(old + (new - old) * k // UPDATES, speed)
        self._before = now

    def _do(self, kind: int, data: bytes, lag: float) -> list[bytes]:
        if kind == v.SET_VEL_GET_IMU:
            self._wanted = struct.unpack_from("<hh", data)
            return [self._sample(lag).encode()]
        if kind == v.SET_THRUST_GET_IMU:  # open loop is not emulated, only answered
            return [self._sample(lag).encode()]
        if kind == v.SET_GAINS_GET_TELEM:
            self._set_gains(data)
            return [self._sample(lag).encode()]
        if kind == v.SET_PID_GAINS:
            self._set_gains(data)
            return [v.packet(kind, data)]
        if kind == v.SET_VEL_PROFILE:
            self._wanted = _profile(data)
        elif kind == v.PID_START:
            self._start(np.inf)
        elif kind == v.PID_STOP_MOTORS:
            self._stop()
        elif kind == v.START_TIMED_RUN:
            self._start(self.world.time + 1e-3 * struct.unpack_from("<H", data)[0])
        else:
            return self._say(kind, data, lag)
        return []

    def _say(self, kind: int, data: bytes, lag: float) -> list[bytes]:
        """Answer packets that ask for something and change no motion."""
        if kind == v.GET_AMS_POS:
            return [v.Positions(self._sample(lag).positions).encode()]
        if kind == v.ZERO_POS:
            before = self._sample(lag).positions
            self._zero = self._before
            for pid, position in zip(self._pids, self._before, strict=True):
                pid.start(position)
            return [v.Positions(before, zeroed=True).encode()]
        if kind == v.WHO_AM_I:
            return [v.Version(self.version).encode()]
        if kind == v.ERASE_SECTORS:
            return [v.packet(kind, data)]
        return []

    def _start(self, ends: float) -> None:
        self._on, self._ends = True, ends
        for pid, position in zip(self._pids, self._before, strict=True):
            pid.start(position)

    def _stop(self) -> None:
        self._on, self._ends = False, np.inf
        for pid in self._pids:
            pid.duty = 0

    def _set_gains(self, data: bytes) -> None:
        gains = struct.unpack_from("<10h", data)
        self._pids[0].gains, self._pids[1].gains = gains[:5], gains[5:]

    def _counts(self) -> tuple[int, int]:
        angles = self.world.leg_angles() if self._blocked is None else self._blocked
        left, right = np.round(angles / units.ENCODER)
        return int(left), int(right)

    def _sample(self, lag: float) -> v.Telemetry:
        values = self.sensors.telemetry()
        # Between two ticks the legs have turned on. The twin's servo holds them only roughly.
        turning = values[6:8] + lag * self.world.leg_speeds()
        angles = turning if self._blocked is None else self._blocked
        left, right = (int(count) for count in np.round(angles / units.ENCODER))
        zero = self._zero
        self._samples += 1
        return units.sample_of(
            self._samples,
            self.world.time + lag,
            (left - zero[0], right - zero[1]),
            (self._pids[0].target - zero[0], self._pids[1].target - zero[1]),
            (self._pids[0].duty, self._pids[1].duty),
            units.Sensed(values[0:3], values[3:6], values[8:10], float(values[10])),
        )


def _profile(data: bytes) -> tuple[int, int]:
    """Return the mean speeds [counts/ms] of two strides: 4 advances of 1/4 count in a period."""
    left, *a = struct.unpack_from("<5h", data)
    right, *b = struct.unpack_from("<5h", data, 12)
    speeds = [4 * sum(steps) / max(period, 4) for period, steps in ((left, a), (right, b))]
    return round(speeds[0]), round(speeds[1])
