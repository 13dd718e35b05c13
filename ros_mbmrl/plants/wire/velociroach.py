"""Packets of the VelociRoACH inside of radio frames: `status (0), type, data`, little-endian.

Two dialects: the stock firmware's (biomimetics/roach, `firmware/source/cmd.h`) and the additions of
GrBAL's authors (sliu2019/gbac_roach, `command.py`; sliu2019/sl_nn_dynamics_roach). Numbers here are
the robot's: encoder counts, milliseconds, ADC counts. SI units: `units.py`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

SET_THRUST_OPEN_LOOP = 0x80
PID_START = 0x81
SET_PID_GAINS = 0x82
GET_AMS_POS = 0x84
ERASE_SECTORS = 0x8A
FLASH_READBACK = 0x8B
SET_VEL_PROFILE = 0x8D
WHO_AM_I = 0x8E
START_TELEMETRY = 0x8F
ZERO_POS = 0x90
START_TIMED_RUN = 0x91
PID_STOP_MOTORS = 0x92
SET_PHASE = 0x93
SET_MOTOR_MODE = 0x94
# GrBAL's own.
GET_IMU_DATA = 0x20  # the type of its answers
SET_TIMEOUT = 0x85
SET_GAINS_GET_TELEM = 0x88
SET_THRUST_GET_IMU = 0x95
SET_VEL_GET_IMU = 0x96
SET_PID_OUTPUT_CHANNEL = 0x97

PROFILE_PERIOD = 20  # [ms]
_TELEMETRY = struct.Struct("<II4i11h")


def packet(kind: int, data: bytes = b"") -> bytes:
    """Return type and data of a packet as the radio carries them."""
    return bytes([0, kind]) + data


def set_thrust_open_loop(channel: int, duty: int) -> bytes:
    """Set the duty cycle of one channel, of 4000."""
    return _packed(SET_THRUST_OPEN_LOOP, "<hh", channel, duty)


def pid_start() -> bytes:
    """Put both motors under the PID's control until PID_STOP_MOTORS: nothing else ends it."""
    return packet(PID_START)


def pid_stop() -> bytes:
    """Switch both motors off."""
    return packet(PID_STOP_MOTORS)


def set_pid_gains(left: Sequence[int], right: Sequence[int]) -> bytes:
    """Set Kp, Ki, Kd, Kaw, Kff of each side; echoed."""
    return _packed(SET_PID_GAINS, "<10h", *left, *right)


def get_ams_pos() -> bytes:
    """Ask for the encoders."""
    return packet(GET_AMS_POS)


def erase_sectors(samples: int) -> bytes:
    """Free space for samples in the flash; echoed when done."""
    return _packed(ERASE_SECTORS, "<I", samples)


def flash_readback(samples: int) -> bytes:
    """Ask for so many saved telemetry packets."""
    return _packed(FLASH_READBACK, "<I", samples)


def set_vel_profile(
    left_period: int, left: Sequence[int], right_period: int, right: Sequence[int]
) -> bytes:
    """Set a stride of each side: its period [ms] and 4 advances, a quarter of it each.

    An advance of 0x4000 is a revolution. Repeated until the next one (flag 0); no answer.
    """
    return _packed(SET_VEL_PROFILE, "<12h", left_period, *left, 0, right_period, *right, 0)


def steady_profile(left: int, right: int) -> bytes:
    """Set constant speeds [counts/ms] as profiles.

    The firmware multiplies an advance by 4 and executes it in a quarter of the period, so a speed
    is 16 advances over the period. A new profile waits for the end of the old one's stride, which
    need not be a revolution: a short stride keeps that wait short.
    """
    steps = [round(speed * PROFILE_PERIOD / 16) for speed in (left, right)]
    return set_vel_profile(PROFILE_PERIOD, [steps[0]] * 4, PROFILE_PERIOD, [steps[1]] * 4)


def who_am_i() -> bytes:
    """Ask for the version text."""
    return packet(WHO_AM_I)


def start_telemetry(samples: int) -> bytes:
    """Save so many packets in the flash, at 1 kHz."""
    return _packed(START_TELEMETRY, "<I", samples)


def zero_pos() -> bytes:
    """Set the encoders to 0; answered with their values before."""
    return packet(ZERO_POS)


def start_timed_run(duration: int) -> bytes:
    """Put both motors under the PID's control for `duration` [ms], at most 65535."""
    return _packed(START_TIMED_RUN, "<H", duration)


def set_phase(offset: int) -> bytes:
    """Set how far the left leg is before the right one [counts]; 0x8000: an alternating tripod."""
    return _packed(SET_PHASE, "<i", offset)


def set_motor_mode(left: int, right: int) -> bytes:
    """Set duty cycles without the PID, of 4000."""
    return _packed(SET_MOTOR_MODE, "<hh", left, right)


def set_vel_get_imu(left: int, right: int) -> bytes:
    """Set the set-points [counts/ms]; answered with Telemetry (GrBAL)."""
    return _packed(SET_VEL_GET_IMU, "<hh", left, right)


def set_thrust_get_imu(left: int, right: int) -> bytes:
    """Set duty cycles, of 4000; answered with Telemetry (GrBAL)."""
    return _packed(SET_THRUST_GET_IMU, "<hh", left, right)


def set_pid_output_channel(channel: int) -> bytes:
    """Set the PID's output channel (GrBAL)."""
    return _packed(SET_PID_OUTPUT_CHANNEL, "<h", channel)


def set_timeout(value: int) -> bytes:
    """Set a time-out; the meaning of the value is not known (GrBAL)."""
    return _packed(SET_TIMEOUT, "<h", value)


def set_gains_get_telem(left: Sequence[int], right: Sequence[int]) -> bytes:
    """Set gains as in `set_pid_gains`; answered with Telemetry (GrBAL)."""
    return _packed(SET_GAINS_GET_TELEM, "<10h", *left, *right)


@dataclass(frozen=True)
class Telemetry:
    """One sample: of the live robot (GrBAL), or `saved` in its flash.

    Args:
        index: of the sample.
        microseconds: since the start, modulo 2^32.
        positions, targets: left and right encoders and their PID targets [counts].
        duties: of 4000.
        gyro, accelerometer: in the chip's own axes [ADC counts].
        back_emf: left, right [ADC counts].
        battery: [ADC counts].
    """

    index: int
    microseconds: int
    positions: tuple[int, int]
    targets: tuple[int, int]
    duties: tuple[int, int]
    gyro: tuple[int, int, int]
    accelerometer: tuple[int, int, int]
    back_emf: tuple[int, int]
    battery: int
    saved: bool = False

    def encode(self) -> bytes:
        """Return the packet. Raises ValueError."""
        kind = FLASH_READBACK if self.saved else GET_IMU_DATA
        longs = (self.index, self.microseconds, *self.positions, *self.targets)
        imu = (*self.gyro, *self.accelerometer)
        shorts = (*self.duties, *imu, *self.back_emf, self.battery)
        return _packed(kind, _TELEMETRY.format, *longs, *shorts)


@dataclass(frozen=True)
class Positions:
    """Encoders, left and right [counts]; `zeroed`: their values before they were set to 0."""

    positions: tuple[int, int]
    zeroed: bool = False

    def encode(self) -> bytes:
        """Return the packet. Raises ValueError."""
        return _packed(ZERO_POS if self.zeroed else GET_AMS_POS, "<2i", *self.positions)


@dataclass(frozen=True)
class Gains:
    """The gains that were set."""

    left: tuple[int, ...]
    right: tuple[int, ...]

    def encode(self) -> bytes:
        """Return the packet. Raises ValueError."""
        return set_pid_gains(self.left, self.right)


@dataclass(frozen=True)
class Version:
    """The firmware's version text."""

    text: str

    def encode(self) -> bytes:
        """Return the packet; characters of the text that are not ASCII become "?"."""
        return packet(WHO_AM_I, self.text.encode("ascii", "replace"))


@dataclass(frozen=True)
class Erased:
    """Confirmation that there is space for so many samples."""

    samples: int

    def encode(self) -> bytes:
        """Return the packet. Raises ValueError."""
        return erase_sectors(self.samples)


Reply = Telemetry | Positions | Gains | Version | Erased


def read_reply(data: bytes) -> Reply:
    """Decode a packet from the robot. Raises ValueError for an unknown type or a wrong size."""
    if len(data) < 2:
        raise ValueError(f"packet: expected at least 2 bytes, got {len(data)}")
    kind, rest = data[1], data[2:]
    if kind in (GET_IMU_DATA, FLASH_READBACK):
        n = _unpacked(kind, _TELEMETRY.format, rest)
        return Telemetry(
            *(n[0], n[1], (n[2], n[3]), (n[4], n[5]), (n[6], n[7])),
            *((n[8], n[9], n[10]), (n[11], n[12], n[13]), (n[14], n[15]), n[16]),
            saved=kind == FLASH_READBACK,
        )
    if kind in (GET_AMS_POS, ZERO_POS):
        left, right = _unpacked(kind, "<2i", rest)
        return Positions((left, right), zeroed=kind == ZERO_POS)
    if kind == SET_PID_GAINS:
        gains = _unpacked(kind, "<10h", rest)
        return Gains(gains[:5], gains[5:])
    if kind == WHO_AM_I:
        return Version(rest.decode("ascii", "replace").strip("\0\r\n "))
    if kind == ERASE_SECTORS:
        return Erased(*_unpacked(kind, "<I", rest))
    raise ValueError(f"packet: unknown type 0x{kind:02x}")


def _packed(kind: int, form: str, *values: int) -> bytes:
    try:
        return packet(kind, struct.pack(form, *values))
    except struct.error as error:
        raise ValueError(f"packet 0x{kind:02x}: {error}, got {values}") from None


def _unpacked(kind: int, form: str, data: bytes) -> tuple[int, ...]:
    if len(data) != struct.calcsize(form):
        expected = struct.calcsize(form)
        raise ValueError(f"packet 0x{kind:02x}: expected {expected} bytes, got {len(data)}")
    return struct.unpack(form, data)
