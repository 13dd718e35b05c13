"""Settings of a VelociRoACH and its radio."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.plants.settings import read_settings
from ros_mbmrl.plants.wire import units
from ros_mbmrl.plants.wire.dialects import DIALECTS


@dataclass(frozen=True)
class RadioConfig:
    """Settings of the robot and its radio; `hardware.NAME` in a parameter file.

    Args:
        dialect: grbal, or roach for the stock firmware.
        baud: of the serial port.
        address: of the robot.
        gains: Kp, Ki, Kd, Kaw, Kff of either side.
        poll_timeout: for an answer, which is requested `tries` times [s].
        version: must be part of the robot's version text; empty: any.
        stall_speed, stall_time: a leg that stands still for so long [s] at a higher set-point
            [rad/s] is blocked.
        reopen_pause: between two tries to reopen a lost port [s].
        stop_timeout: to see the legs come to rest [s].
        timed_run: how long the motors run on after a command [s], so that a robot without commands
            stops by itself; 0: until told to stop. Each command then begins a new run, which clears
            the firmware's PID integrators. With the way over the radio, within 0.25 s.
        battery: voltage [V], required for the stock firmware, which does not report it.
        back_emf: per leg speed [V s/rad], for the stock firmware.
    """

    dialect: str = "grbal"
    baud: int = 57600
    address: int = 0x0001
    gains: tuple[int, ...] = (1800, 200, 100, 0, 0)
    poll_timeout: float = 0.03
    tries: int = 3
    version: str = ""
    stall_speed: float = 4 * math.pi
    stall_time: float = 0.11
    reopen_pause: float = 0.25
    stop_timeout: float = 1.0
    timed_run: float = 0.22
    battery: float = 0.0
    back_emf: float = units.BACK_EMF_PER_SPEED

    def __post_init__(self) -> None:
        choose("dialect", self.dialect, DIALECTS)
        for name in ("baud", "poll_timeout", "tries", "stall_speed", "stall_time", "stop_timeout"):
            if not getattr(self, name) > 0:
                raise UserError(f"hardware.{name}: expected above 0, got {getattr(self, name)}")
        if not 0 <= self.timed_run <= 65.5:
            raise UserError(f"hardware.timed_run: expected 0 to 65.5 s, got {self.timed_run}")
        if not 0 <= self.address < 0xFFFF:
            raise UserError(f"hardware.address: expected 0 to 0xfffe, got {self.address}")
        if len(self.gains) != 5 or not all(-(1 << 15) <= gain < 1 << 15 for gain in self.gains):
            raise UserError(f"hardware.gains: expected 5 numbers of 16 bits, got {self.gains}")
        if self.dialect == "roach" and not self.battery > 0:
            raise UserError("hardware.battery: expected its voltage, dialect roach cannot read it")

    @property
    def patience(self) -> float:
        """Return the longest wait for an answer, all requests together [s]."""
        return self.tries * self.poll_timeout

    @staticmethod
    def of(hardware: Mapping[str, Any]) -> RadioConfig:
        """Return the configuration from settings by name; see `read_settings`."""
        return read_settings(RadioConfig, hardware)
