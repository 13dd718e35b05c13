"""PR2Rosbridge: an arm of a real PR2, seven torques over a rosbridge.

The robot keeps the last torque without a time-out. So every way out ends with zeros; a torque that
no other follows in time is withdrawn; a heartbeat goes with every torque and between them, for the
watchdog on the robot's side; and no torque is sent unless the robot is known to be ready for it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType

import numpy as np

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.base import Plant, PlantFault, PlantOptions, within_limits
from ros_mbmrl.plants.pr2_session import PR2Config, PR2Session, read_config
from ros_mbmrl.plants.wire.rosbridge_link import LinkConfig, RosbridgeLink, read_url
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.pr2_kinematics import tool_points
from ros_mbmrl.robots.pr2_limits import limit_efforts
from ros_mbmrl.robots.spec import Array, Robot

BEAT = 0.025  # between heartbeats [s]: the watchdog allows 0.1 s
REST_ROUNDS = 5  # rounds of zeros at least: the first messages of a new publisher may be lost
AT_REST = 0.05  # [rad/s]
REST_PATIENCE = 1.0  # for the arm to come to rest on the way out [s]


class PR2Rosbridge:
    """Plant of a real PR2's arm; see `Plant`.

    Entering raises UserError, one line, if the robot is not ready within the configuration's
    patience: no server, controllers not running, run-stop pressed, no watchdog.

    Args:
        robot: the arm.
        url: of the rosbridge server.
        config: the robot's own settings.
        clock: steady [s].
        link: times of the link.
    """

    simulated = False

    def __init__(
        self,
        robot: Robot,
        url: str,
        config: PR2Config | None = None,
        clock: Callable[[], float] = time.monotonic,
        link: LinkConfig | None = None,
    ) -> None:
        spec, config = robot.spec, config or PR2Config()
        self._config = replace(config, max_age=min(config.max_age, spec.envelope.state_timeout))
        self._spec, self._clock = spec, clock
        self._session = PR2Session(self._config, [limit.name for limit in spec.action], url)
        self._link = RosbridgeLink(url, self._opened, self._received, self._lost, link)
        self._lock = threading.RLock()
        self._news = threading.Condition(self._lock)
        self._resting, self._rounds = True, 0
        self._commanded = -np.inf
        self._ages: deque[float] = deque(maxlen=1000)
        self._ended = threading.Event()
        self._broken = ""  # why there are no more heartbeats
        self._beating = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> PR2Rosbridge:
        self._link.start()
        self._beating.start()
        with self._news:
            self._news.wait_for(self._decided, self._config.patience)
            fault = self._session.fault(self._clock())
        if fault:
            self._close()
            raise UserError(f"port: {fault}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        with self._news:
            self._news.wait_for(self._at_rest_or_gone, REST_PATIENCE)
            self.stop()
        self._close()

    def observe(self) -> Measurement:
        """Return the newest joint states, and the tool's points computed from them.

        Raises PlantFault, and commands zeros, while the robot does not answer or must not be
        driven.
        """
        with self._lock:
            now = self._clock()
            self._check(now)
            reading = self._session.reading(now)
            assert reading is not None
            self._ages.append(now - reading.time)
        points = tool_points(reading.position)
        values = np.concatenate([reading.position, reading.velocity, points])
        return Measurement(reading.time, values, now - reading.time)

    def command(self, action: Array) -> None:
        """Send torques (7,) [N m] within the limits, reduced by the robot's own law at soft limits.

        Raises:
            ValueError: torques outside of the limits.
            PlantFault: as for `observe`; commands zeros.
        """
        allowed = within_limits(self._spec, action)
        with self._lock:
            now = self._clock()
            self._check(now)
            reading = self._session.reading(now)
            assert reading is not None
            torques = limit_efforts(reading.position, reading.velocity, allowed)
            self._resting, self._commanded = False, now
            if not self._link.send([self._session.heartbeat(), *self._session.torques(torques)]):
                self._rest()
                raise PlantFault("the link to the rosbridge has just gone")

    def advance(self, duration: float) -> None:
        """Do nothing: the robot's time passes by itself."""

    def stop(self) -> None:
        """Send zeros now, and again with every heartbeat until the joints are at rest."""
        with self._lock:
            self._rest()

    def rearm(self) -> None:
        """End the latch of the run-stop, and ask for the controllers again.

        Raises PlantFault while the run-stop is pressed.
        """
        with self._lock:
            refused = self._session.rearm(self._clock())
            if refused:
                raise PlantFault(refused)

    def counters(self) -> Mapping[str, int | float]:
        """Return counts of messages and errors, the newest round trip, and ages of joint states."""
        with self._lock:
            ages = np.array(self._ages) * 1e3 if self._ages else np.zeros(1)
            counts = self._session.counts
        names = ("connections", "messages", "joint_states", "bad_messages", "status_errors")
        return {
            **{name: counts[name] for name in names},
            "round_trip_ms": 1e3 * self._link.round_trip,
            "age_ms_p50": float(np.percentile(ages, 50)),
            "age_ms_p99": float(np.percentile(ages, 99)),
        }

    def _check(self, now: float) -> None:
        fault = self._broken or self._session.fault(now)
        if fault:
            self._rest()
            raise PlantFault(fault)

    def _rest(self) -> None:
        if not self._resting:
            self._resting, self._rounds = True, 0
        self._link.send([*self._zeros(), self._session.heartbeat()])

    def _zeros(self) -> list[str]:
        return self._session.torques(np.zeros(len(self._spec.action)))

    def _at_rest(self) -> bool:
        reading = self._session.reading(self._clock())
        slow = reading is not None and bool((np.abs(reading.velocity) < AT_REST).all())
        return self._rounds >= REST_ROUNDS and slow and self._session.watched

    def _at_rest_or_gone(self) -> bool:
        return self._at_rest() or not self._session.connected

    def _beat(self) -> None:
        try:
            while not self._ended.wait(BEAT):
                with self._news:
                    self._link.send(self._pulse(self._clock()))
                    self._news.notify_all()
        except BaseException as error:
            self._broken = f"heartbeats have ended ({type(error).__name__}: {error})"
            raise

    def _pulse(self, now: float) -> list[str]:
        """Return the texts that are due between two commands."""
        texts: list[str] = []
        if not self._session.connected:
            return texts
        if self._session.must_ask(now):
            texts.append(self._session.ask(now))
        silent = now - self._commanded > self._spec.envelope.command_timeout
        if not self._resting and (silent or self._session.fault(now)):
            self._rest()
        if self._resting and not self._at_rest():
            texts += self._zeros()
            self._rounds += 1
        return [*texts, self._session.heartbeat()]

    def _decided(self) -> bool:
        """Return whether the robot is ready, or certainly will not be."""
        session = self._session
        ready = not session.fault(self._clock())
        return ready or bool(session.refusal()) or session.unreachable

    def _opened(self) -> None:
        with self._lock:
            self._resting, self._rounds = True, 0
            self._link.send(self._session.opened(self._clock()))

    def _received(self, text: str | bytes) -> None:
        with self._news:
            self._session.receive(text, self._clock())
            self._news.notify_all()

    def _lost(self, reason: str) -> None:
        with self._news:
            self._resting, self._rounds = True, 0
            self._session.lost(reason)
            self._news.notify_all()

    def _close(self) -> None:
        self._ended.set()
        self._beating.join()
        with self._lock:
            self._link.send(self._session.closing())
        self._link.close()


def check(options: PlantOptions) -> None:
    """Raise UserError for a missing port, a port that is no URL, and unknown settings."""
    if not options.port:
        raise UserError("port: plant:=rosbridge needs port:=, as pr2.local:9090")
    read_url(options.port)
    read_config(options.hardware)


def make(robot: Robot, options: PlantOptions) -> Plant:
    """Return the arm behind the rosbridge at `options.port`. Raises UserError."""
    check(options)
    config = read_config(options.hardware)
    return PR2Rosbridge(robot, read_url(options.port), config, options.clock)
