"""PR2Session: state of a PR2 from its rosbridge messages, and whether it may be driven. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.settings import read_settings
from ros_mbmrl.plants.wire import rosbridge
from ros_mbmrl.plants.wire.transit import Transit
from ros_mbmrl.robots.spec import Array

JOINT_STATES, POWER_BOARD = "/joint_states", "/power_board/state"
HEARTBEAT, WATCHDOG = "/ros_mbmrl/heartbeat", "/ros_mbmrl/watchdog"
LIST_CONTROLLERS = "/pr2_controller_manager/list_controllers"
SUBJECTS = (JOINT_STATES, POWER_BOARD, WATCHDOG, LIST_CONTROLLERS)
ASK_AGAIN = 1.0  # between two requests for the controllers [s]
REPORT_TIMEOUT = 5.0  # longest silence of the power board or of the controllers [s]
WATCHDOG_TIMEOUT = 0.5  # longest silence of the watchdog [s], which reports every 0.05 s
REASON = 200  # characters of the text about a bad message


@dataclass(frozen=True)
class PR2Config:
    """The robot's own settings.

    Args:
        prefix: a joint's controller is called prefix + joint, its topic is /<controller>/command.
        rivals: controllers, separated by commas, that must not run: they command the same motors.
        throttle_ms: least time between two joint states [ms]; 0: all of them.
        max_age: of a joint state [s]; smaller than the envelope's time-out, because the driver
            looks once a period.
        watchdog: whether the robot's side must have its watchdog.
        patience: time for the robot to be ready at the start [s].
    """

    prefix: str = "effort_"
    rivals: str = "l_arm_controller"
    throttle_ms: int = 0
    max_age: float = 0.15
    watchdog: bool = True
    patience: float = 5.0

    def __post_init__(self) -> None:
        for name in ("max_age", "patience"):
            if not getattr(self, name) > 0:
                raise UserError(f"hardware.{name}: expected above 0 s, got {getattr(self, name)}")
        if self.throttle_ms < 0:
            raise UserError(f"hardware.throttle_ms: expected 0 or more, got {self.throttle_ms}")


def read_config(hardware: Mapping[str, Any]) -> PR2Config:
    """Return the configuration from parameters by name; see `read_settings`."""
    return read_settings(PR2Config, hardware)


@dataclass(frozen=True)
class Reading:
    """Joint angles (7,) [rad] and velocities (7,) [rad/s], with the time on our clock [s]."""

    position: Array
    velocity: Array
    time: float


class PR2Session:
    """State of one robot; every message and every question is passed in with its time [s].

    `joints`: names of the arm's joints, in the order of readings and torques. `counts`: of
    messages.
    """

    def __init__(self, config: PR2Config, joints: Sequence[str], url: str) -> None:
        self._config, self._joints, self._url = config, tuple(joints), url
        self._controllers = [f"{config.prefix}{joint}" for joint in joints]
        self._commands = [f"/{controller}/command" for controller in self._controllers]
        self.counts: Counter[str] = Counter()
        self.connected = False
        self._lost = ""
        self._stopped = False
        self._forget()

    def _forget(self) -> None:
        """Forget the old connection's messages; the run-stop stays latched."""
        self._reading: Reading | None = None
        self._unfit = ""  # error in the arm's joints in the newest joint states
        self._unread: dict[str, str] = {}  # topic -> why its latest message cannot be read
        self._transit = Transit()
        self._pressed: bool | None = None
        self._power_heard = self._watchdog_heard = -np.inf
        self._tripped = True
        self._trouble: str | None = None  # of the controllers; None: no answer yet
        self._asked = self._answered = -np.inf

    def opened(self, now: float) -> list[str]:
        """Record a new connection; return the texts to send first."""
        self._forget()
        self.connected = True
        self.counts["connections"] += 1
        topics = [
            rosbridge.subscribe(JOINT_STATES, rosbridge.JOINT_STATE, self._config.throttle_ms),
            rosbridge.subscribe(POWER_BOARD, rosbridge.POWER_BOARD_STATE),
            rosbridge.subscribe(WATCHDOG, rosbridge.BOOL),
        ]
        outputs = [rosbridge.advertise(topic, rosbridge.FLOAT64) for topic in self._outputs]
        return [*topics, *outputs, self.ask(now)]

    def lost(self, reason: str) -> None:
        """Record that the connection was lost."""
        self.connected, self._lost = False, reason
        self._forget()

    def closing(self) -> list[str]:
        """Return the texts to send last."""
        return [rosbridge.encode("unadvertise", topic=topic) for topic in self._outputs]

    @property
    def _outputs(self) -> list[str]:
        return [*self._commands, HEARTBEAT]

    def torques(self, torques: Array) -> list[str]:
        """Return the texts for torques (7,) [N m]. Raises ValueError if one is not finite."""
        return [
            rosbridge.publish(topic, {"data": float(torque)})
            for topic, torque in zip(self._commands, torques, strict=True)
        ]

    def heartbeat(self) -> str:
        """Return the next heartbeat for the watchdog."""
        self.counts["heartbeats"] += 1
        return rosbridge.publish(HEARTBEAT, {"data": float(self.counts["heartbeats"])})

    def ask(self, now: float) -> str:
        """Return the request for the controllers."""
        self._asked = now
        return rosbridge.call_service(LIST_CONTROLLERS, {}, LIST_CONTROLLERS)

    def must_ask(self, now: float) -> bool:
        """Return whether it is time to ask again, because a controller may have been stopped."""
        return now - self._asked >= ASK_AGAIN

    def receive(self, text: str | bytes, now: float) -> None:
        """Take in a message; a bad one is counted, and its reason appears in a fault."""
        self.counts["messages"] += 1
        subject = ""
        try:
            said = rosbridge.decode(text)
            if said["op"] == "publish":
                subject = said["topic"]
                self._hear(subject, said["msg"], now)
            elif said["op"] == "service_response" and said["service"] == LIST_CONTROLLERS:
                subject = LIST_CONTROLLERS
                self._trouble, self._answered = self._judge(said), now
            elif said["op"] == "status":
                self.counts["status_errors"] += said["level"] == "error"
            self._unread.pop(subject, None)
        except ValueError as error:
            self.counts["bad_messages"] += 1
            if subject in SUBJECTS:
                self._unread[subject] = f"{subject} cannot be read: {str(error)[:REASON]}"

    def _hear(self, topic: str, message: Mapping[str, Any], now: float) -> None:
        if topic == JOINT_STATES:
            self._read(rosbridge.read_joint_states(message), now)
        elif topic == POWER_BOARD:
            self._pressed = rosbridge.read_run_stop(message)
            self._power_heard = now
            self._stopped = self._stopped or self._pressed
        elif topic == WATCHDOG:
            self._tripped = rosbridge.read_bool(message)
            self._watchdog_heard = now

    def _read(self, states: rosbridge.JointStates, now: float) -> None:
        missing = [joint for joint in self._joints if joint not in states.names]
        if len(missing) == len(self._joints):
            raise ValueError("it has none of the arm's joints")  # from another part of the robot
        late = self._transit.late(states.stamp, now)
        if self._transit.leapt:
            raise ValueError(f"its stamp has leapt to {states.stamp:.3f} s")
        bad = states.complaint(self._joints)
        self._unfit = f" is without {', '.join(missing)}" if missing else f": {bad}" if bad else ""
        if self._unfit:
            return
        self.counts["joint_states"] += 1
        position = np.array([states.positions[joint] for joint in self._joints])
        velocity = np.array([states.velocities[joint] for joint in self._joints])
        self._reading = Reading(position, velocity, now - late)

    def _judge(self, said: Mapping[str, Any]) -> str:
        values = said.get("values")
        if not said["result"] or not isinstance(values, Mapping):
            return f"{LIST_CONTROLLERS} failed: {values}"
        names, states = values.get("controllers"), values.get("state")
        if not (_are_texts(names) and _are_texts(states) and len(names) == len(states)):
            raise ValueError("not a list of controllers and their states")
        running = {name for name, state in zip(names, states, strict=True) if state == "running"}
        absent = [name for name in self._controllers if name not in running]
        if absent:
            return (
                f"controllers not running on the PR2: {', '.join(absent)}; "
                "expected a JointEffortController for each joint, loaded and started"
            )
        rivals = sorted(running & set(self._config.rivals.split(",")))
        return f"controllers to be stopped on the PR2 first: {', '.join(rivals)}" if rivals else ""

    def rearm(self, now: float) -> str:
        """End the run-stop's latch; return why that is not possible, or nothing."""
        if self._pressed is not False or now - self._power_heard > REPORT_TIMEOUT:
            return "the run-stop is pressed, or its state is not known: expected it to be released"
        if self._stopped:
            self._stopped, self._trouble, self._asked = False, None, -np.inf
        return ""

    def fault(self, now: float) -> str:
        """Return why the arm does not answer or must not be driven; empty if it is ready."""
        if not self.connected:
            return f"no link to the rosbridge at {self._url}: {self._lost or 'connecting'}"
        return self.refusal() or self._silence(now) or self._staleness(now)

    def refusal(self) -> str:
        """Return the part of a fault that waiting does not end."""
        if self._stopped:
            return "the run-stop was pressed: expected its release, and then a reset"
        return self._trouble or ""

    def _silence(self, now: float) -> str:
        unread = self._unread.get
        if self._trouble is None:
            return unread(LIST_CONTROLLERS) or f"{LIST_CONTROLLERS} has not answered"
        if now - self._power_heard > REPORT_TIMEOUT:
            unknown = "the state of the run-stop is not known"
            return f"{unread(POWER_BOARD) or f'{POWER_BOARD} is silent'}: {unknown}"
        if self._config.watchdog and now - self._watchdog_heard > WATCHDOG_TIMEOUT:
            expected = "expected pr2_watchdog.py to run on the robot"
            return f"{unread(WATCHDOG) or f'{WATCHDOG} is silent'}: {expected}"
        if self._config.watchdog and self._tripped:
            return "the robot's watchdog holds the torques at zero"
        if (silent := now - self._answered) > REPORT_TIMEOUT:
            return f"{LIST_CONTROLLERS} has not answered for {silent:.1f} s"
        return ""

    def _staleness(self, now: float) -> str:
        if self._unfit:
            return f"{JOINT_STATES}{self._unfit}"
        reading, unread = self._reading, self._unread.get(JOINT_STATES, "")
        if reading is None:
            return unread or f"{JOINT_STATES} is silent"
        age = now - reading.time
        if age <= (limit := self._config.max_age):
            return ""
        old = f"joint states are {age:.2f} s old, limit {limit:g} s"
        return f"{old}; {unread}" if unread else old

    def reading(self, now: float) -> Reading | None:
        """Return the newest joint states, if they are fresh."""
        return None if self._staleness(now) else self._reading

    @property
    def unreachable(self) -> bool:
        """Return whether there is no connection, and an attempt to connect has failed."""
        return not self.connected and bool(self._lost)

    @property
    def watched(self) -> bool:
        """Return whether the robot's watchdog is ready, or not required."""
        return not (self._config.watchdog and self._tripped)


def _are_texts(values: Any) -> TypeGuard[list[str]]:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
