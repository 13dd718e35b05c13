"""HexapodRadio: the real VelociRoACH, over an XBee on a serial port, with motion capture."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType

import numpy as np

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.base import Plant, PlantFault, PlantOptions, within_limits
from ros_mbmrl.plants.poses import PoseSource
from ros_mbmrl.plants.wire import units
from ros_mbmrl.plants.wire.conversation import LOOK_AGAIN, Conversation
from ros_mbmrl.plants.wire.legs import StallWatch
from ros_mbmrl.plants.wire.line import Line, LineError, SerialLine
from ros_mbmrl.plants.wire.link import Heard, RadioLink
from ros_mbmrl.plants.wire.senses import Senses
from ros_mbmrl.plants.wire.settings import RadioConfig
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot

MOVED = 0.2  # angle that shows that a leg turns [rad]
PARTING = 3.0  # [s] to see the robot come to rest on the way out

log = logging.getLogger(__name__)


class HexapodRadio:
    """Plant of the real hexapod, polled by the caller: telemetry is request and reply.

    An answer to a `command` that came since the last poll is discarded as old. One that is still on
    its way may be taken for the poll's own answer; its age then counts from the command. A lost
    answer is requested again within `tries * poll_timeout`, which bounds `observe`. After a loss of
    contact, the next observation begins with the start-up, without zeroing the legs.

    Args:
        robot: the hexapod.
        config: settings of the robot and its radio.
        line: serial line to the radio.
        poses: of motion capture.
        clock: steady [s].
        sleep: waits for so many seconds.
    """

    simulated = False

    def __init__(
        self,
        robot: Robot,
        config: RadioConfig,
        line: Line,
        poses: PoseSource,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._spec, self._config = robot.spec, config
        self._clock, self._sleep = clock, sleep
        self._link = RadioLink(line, config.address, clock, forget=config.patience)
        self._robot = Conversation(config, self._link, clock, sleep)
        self._stall = StallWatch(config.stall_speed, config.stall_time)
        self._senses = Senses(config, poses, robot.spec.envelope.state_timeout)
        self._setpoints = (0, 0)  # [counts/ms]
        self._rest: Array | None = None  # angles before the motors were started
        self._started = False  # whether the legs have shown that the motors run
        self._lost = ""  # why the port is closed
        self._opened = -math.inf
        self._reconnects = self._restarts = 0
        self._lock = threading.RLock()

    @property
    def version(self) -> str:
        """Return the robot's version text; empty before it was heard."""
        return self._robot.version

    def __enter__(self) -> HexapodRadio:
        """Open the port and start the robot up, at rest. Raises UserError, PlantFault."""
        with self._lock:
            try:
                self._link.open()
                self._robot.start_up()
            except LineError as error:
                raise UserError(str(error)) from None
            except BaseException:
                self._leave()
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._leave()

    def observe(self) -> Measurement:
        """Return the newest measurement, within `tries * poll_timeout`. Raises PlantFault."""
        with self._lock:
            until = self._clock() + self._config.patience
            try:
                if not self._robot.ready:
                    self._come_back(until)
                heard, angles = self._look(until)
            except LineError as error:
                raise self._close(error) from None
            self._check_radio()
            return self._senses.measure(heard, angles, self._clock())

    def command(self, action: Array) -> None:
        """Send set-points (2,) [rad/s] at once. Raises PlantFault, ValueError."""
        allowed = within_limits(self._spec, action)
        with self._lock:
            if not self._robot.ready:
                raise PlantFault(self._lost or "the robot has not been heard again yet")
            left, right = (units.to_counts_per_ms(float(speed)) for speed in allowed)
            self._setpoints = (left, right)
            try:
                self._start_motors()
                self._robot.drive(self._setpoints)
            except LineError as error:
                raise self._close(error) from None

    def advance(self, duration: float) -> None:
        """Do nothing: the robot's time passes by itself."""

    def stop(self) -> None:
        """Send set-points 0 and motors off until the encoders show that the legs are at rest.

        Gives up after `stop_timeout`, or as soon as the robot does not answer. Its radio has no
        watchdog, so whoever is told of a fault must call this again and again.
        """
        with self._lock:
            self._bring_to_rest(self._clock() + self._config.stop_timeout)

    def counters(self) -> Mapping[str, int | float]:
        """Return totals of radio and motion capture, and round trips: see `RadioLink.counters`."""
        return {
            **self._link.counters(),
            "reconnects": self._reconnects,
            "encoder_jumps": self._robot.legs.jumps,
            "poses_passed_over": self._senses.poses.passed_over,
        }

    def _come_back(self, until: float) -> None:
        """Start up again, without zeroing the legs, with the motors off."""
        self._reopen()
        self._forget_motion()
        self._robot.come_back(until)

    def _reopen(self) -> None:
        if not self._lost:
            return
        now = self._clock()
        if now - self._opened < self._config.reopen_pause:
            raise PlantFault(self._lost)
        self._opened = now
        self._link.open()
        self._lost = ""
        self._reconnects += 1

    def _start_motors(self) -> None:
        """Send the start again until the legs turn, because nothing acknowledges it."""
        if any(self._setpoints) and not self._started and not self._config.timed_run:
            self._robot.start_motors()

    def _check_radio(self) -> None:
        """Report problems that the radio shows although it answers. Raises PlantFault."""
        if self._link.restarts > self._restarts:
            self._restarts = self._link.restarts
            log.warning("the radio has restarted, %d in all: is its supply firm?", self._restarts)
        if wrong := self._link.escaping():
            raise PlantFault(wrong)

    def _look(self, until: float) -> tuple[Heard, Array]:
        """Poll; if a leg seems to be blocked, poll again until that is certain or wrong."""
        while True:
            self._start_motors()
            heard, angles = self._robot.poll(self._setpoints, until)
            self._watch(heard.came, angles)
            in_time = until - self._clock() >= self._config.poll_timeout
            if not (self._stall.suspected and in_time):
                return heard, angles

    def _watch(self, now: float, angles: Array) -> None:
        if any(self._setpoints) and not self._started:
            self._rest = angles if self._rest is None else self._rest
            self._started = bool((np.abs(angles - self._rest) > MOVED).any())
        setpoints = units.SET_POINT * np.array(self._setpoints, dtype=np.float64)
        self._stall.update(now, angles, setpoints)
        if self._stall.stalled:
            hertz = " and ".join(f"{speed / (2 * math.pi):.1f}" for speed in setpoints)
            raise PlantFault(f"stalled: a leg stands still, set-points {hertz} Hz")

    def _bring_to_rest(self, until: float) -> bool:
        """Stop the motors; return whether the legs were seen at rest."""
        self._forget_motion()
        if self._lost:
            return False
        try:
            return self._robot.bring_to_rest(until)
        except LineError as error:
            self._close(error)
            return False

    def _forget_motion(self) -> None:
        self._setpoints, self._started, self._rest = (0, 0), False, None
        self._stall.reset()

    def _close(self, error: LineError) -> PlantFault:
        self._link.line.close()
        self._lost, self._robot.ready = str(error), False
        return PlantFault(self._lost)

    def _leave(self) -> None:
        """Bring the robot to rest and make sure, even through a port that was lost and reopened."""
        until = self._clock() + (PARTING if self.version else 0.0)
        while not (rests := self._bring_to_rest(self._clock() + self._config.stop_timeout)):
            if self._clock() >= until:
                break
            self._sleep(LOOK_AGAIN)
            try:
                self._reopen()
            except (LineError, PlantFault) as error:
                self._lost = str(error)
        self._link.line.close()
        self._lost, self._robot.ready = "the port is closed", False
        if self.version and not rests:
            log.error("the robot was not seen to stop: switch it off")


def check(options: PlantOptions) -> None:
    """Raise UserError for a missing port and for unknown settings."""
    if not options.port:
        raise UserError("plant:=serial needs port:=, the serial device of the robot's radio")
    RadioConfig.of(options.hardware)


def make(robot: Robot, options: PlantOptions) -> Plant:
    """Return the robot at `options.port`; its context opens the port. Raises UserError."""
    check(options)
    if options.poses is None:
        raise UserError("plant:=serial needs mocap:=, the topic of the robot's pose")
    config = RadioConfig.of(options.hardware)
    line = SerialLine(options.port, config.baud)
    return HexapodRadio(robot, config, line, options.poses, options.clock)
