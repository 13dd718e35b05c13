"""Conversation with a VelociRoACH: start-up, set-points, polls, and the way to rest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.base import PlantFault
from ros_mbmrl.plants.wire import velociroach as v
from ros_mbmrl.plants.wire.dialects import DIALECTS
from ros_mbmrl.plants.wire.legs import Unwrapper
from ros_mbmrl.plants.wire.link import Heard, RadioLink
from ros_mbmrl.plants.wire.settings import RadioConfig
from ros_mbmrl.robots.spec import Array

ZERO_PAUSE = 1.0  # for the encoders to be zeroed [s]
GAIN_TRIES, GAIN_PAUSE = 8, 0.3  # [s] between tries
STILL_SPEED = 2.0  # speed of noisy encoders at rest, over LOOK_AGAIN [rad/s]
LOOK_AGAIN = 0.05  # between two looks [s]


class Conversation:
    """Requests to one robot and its answers, in the caller's thread.

    Every method that sends raises LineError for a line that cannot be used. `ready`: the robot is
    started up, and has answered since.

    Args:
        config: settings of the robot and its radio.
        link: to the robot.
        clock: steady [s].
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        config: RadioConfig,
        link: RadioLink,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._config, self._link, self._clock, self._sleep = config, link, clock, sleep
        self._dialect = DIALECTS[config.dialect]
        self.legs = Unwrapper()
        self.ready = False
        self.version = ""

    def start_up(self) -> None:
        """Start up in the published order; the only slow step. Raises UserError, PlantFault."""
        for packet in (*self._dialect.prepare, v.pid_start(), v.zero_pos()):
            self._link.send(packet)
        self._sleep(ZERO_PAUSE)
        self._link.drain()
        self._set_gains(self._clock() + GAIN_TRIES * GAIN_PAUSE, GAIN_PAUSE)
        heard = self._ask(v.who_am_i(), lambda r: isinstance(r, v.Version), self._soon(), 0.1)
        assert isinstance(heard.reply, v.Version)
        self.version, wanted = heard.reply.text, self._config.version
        if wanted not in self.version:
            address = f"0x{self._config.address:04x}"
            raise UserError(f"robot {address} runs '{self.version}', expected '{wanted}'")
        try:
            self.poll((0, 0), self._soon())
        except PlantFault as fault:
            said = f"'{self.version}' does not speak dialect '{self._config.dialect}'"
            raise PlantFault(f"{fault}; perhaps {said}") from None
        self.ready = True

    def come_back(self, until: float) -> None:
        """Start up again, without zeroing the legs, with the motors off. Raises PlantFault."""
        for packet in (*self._dialect.prepare, v.pid_stop()):
            self._link.send(packet)
        self._set_gains(until, self._config.poll_timeout)
        self.ready = True

    def poll(self, setpoints: tuple[int, int], until: float) -> tuple[Heard, Array]:
        """Ask the robot for its state now. Raises PlantFault if it does not answer.

        Args:
            setpoints: that it is to keep [counts/ms].
            until: when to give up, on the clock [s].

        Returns:
            The reply, and the legs' angles (2,) [rad].
        """
        self._link.drain()
        packets = self._dialect.poll(*setpoints)
        heard = self._ask(packets, self._has_positions, until, self._config.poll_timeout)
        return heard, self._angles(heard)

    def start_motors(self) -> None:
        """Send the start of the motors, which nothing acknowledges."""
        self._link.send(v.pid_start())

    def drive(self, setpoints: tuple[int, int]) -> None:
        """Send set-points [counts/ms]; with a timed run, the robot stops by itself after it."""
        if any(setpoints) and self._config.timed_run:
            self._link.send(v.start_timed_run(round(1e3 * self._config.timed_run)))
        self._link.send(self._dialect.drive(*setpoints), self._dialect.answered)

    def bring_to_rest(self, until: float) -> bool:
        """Stop the motors again and again; return whether the legs were seen at rest."""
        dialect = self._dialect
        self._link.send(dialect.drive(0, 0), dialect.answered)
        packets = (v.pid_stop(), *dialect.poll(0, 0))
        before: tuple[float, Array] | None = None
        while (now := self._clock()) < until:
            enough = min(until, now + self._config.patience)
            heard = self._link.ask(packets, self._has_positions, enough, self._config.poll_timeout)
            if heard is None:
                self.ready = False
                return False
            angles = self._angles(heard)
            elapsed = heard.came - before[0] if before else 0.0
            if before and elapsed >= LOOK_AGAIN:
                if (np.abs(angles - before[1]) < STILL_SPEED * elapsed).all():
                    return True
                before = None
            before = before or (heard.came, angles)
        return False

    def _soon(self) -> float:
        return self._clock() + GAIN_PAUSE

    def _set_gains(self, until: float, again: float) -> None:
        gains = v.Gains(self._config.gains, self._config.gains)
        self._ask(gains.encode(), lambda reply: reply == gains, until, again)

    def _has_positions(self, reply: v.Reply) -> bool:
        return self._dialect.positions(reply) is not None

    def _angles(self, heard: Heard) -> Array:
        positions = self._dialect.positions(heard.reply)
        assert positions is not None
        return self.legs.update(positions, heard.came)

    def _ask(
        self,
        packets: bytes | tuple[bytes, ...],
        wanted: Callable[[v.Reply], bool],
        until: float,
        again: float,
    ) -> Heard:
        several = (packets,) if isinstance(packets, bytes) else packets
        heard = self._link.ask(several, wanted, until, again)
        if heard is None:
            self.ready = False
            complaint = self._link.complaint()
            if self._link.garbled:
                complaint += f" hardware.baud is {self._config.baud}"
            mistaken = not self.version and self._link.misled
            raise UserError(complaint) if mistaken else PlantFault(complaint)
        return heard
