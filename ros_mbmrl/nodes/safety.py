"""safety: the last word. Only this node publishes `command/safe`.

Answers each `command/proposed` once the state it answers is there, too; a timer notices when
nothing comes any more. Ages are taken from the steady clock, in lockstep from the stamps.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from ros_mbmrl.errors import UserError
from ros_mbmrl.nodes.messages import (
    ERROR,
    OK,
    WARN,
    command_message,
    diagnostics,
    from_stamp,
    nanoseconds,
    owner_of,
    read_command,
    read_number,
    read_status,
    seconds,
    status,
)
from ros_mbmrl.nodes.parameters import read_parameters
from ros_mbmrl.nodes.peers import Echo, PeerWatch
from ros_mbmrl.nodes.process import Ending, run
from ros_mbmrl.nodes.qos import advertise, listen
from ros_mbmrl.nodes.sensors import MeasurementAssembler
from ros_mbmrl.nodes.timers import every
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.safety.limits import narrowed
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import Checked, Health, Level, SafetyConfig

MODEL_SILENT = 0.5  # [s] without a word of the model's error


@dataclass(frozen=True)
class SafetyParameters:
    """adaptation: a dynamics node tells its model error. check_period: [s] of the timer.

    monitor: fields of `SafetyConfig`. limits: [low, high] by the name of a command, a state,
    `arena_x` or `arena_y`, within the robot's own.
    """

    robot: str = "hexapod"
    lockstep: bool = False
    adaptation: bool = True
    check_period: float = 0.02
    monitor: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """A state and when it came."""

    stamp: int
    state: Array
    age: float
    arrival: float


@dataclass(frozen=True)
class Proposal:
    """A proposed command and when it came; failed: the planner had none."""

    stamp: int
    action: Array | None
    failed: bool
    arrival: float


class SafetyNode(Node):
    """Messages around `SafetyMonitor`."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, name: str = "safety", **options: Any
    ) -> None:
        super().__init__(name, automatically_declare_parameters_from_overrides=True, **options)
        self._steady = clock
        self._settings = p = read_parameters(self, SafetyParameters)
        robot = make_robot(p.robot)
        try:
            robot = narrowed(robot, p.limits)
        except ValueError as error:
            raise UserError(f"safety: limits: {error}") from None
        self._spec = robot.spec
        self._owner = owner_of(self, self._spec)
        try:
            self._monitor = SafetyMonitor(robot, SafetyConfig(**p.monitor))
        except (TypeError, ValueError) as error:
            raise UserError(f"safety: monitor: {error}") from None
        longest = 0.5 * min(self._spec.envelope.state_timeout, self._spec.envelope.command_timeout)
        if not 0 < p.check_period <= longest:
            raise UserError(
                f"safety: check_period: expected above 0 s, up to {longest:g} s (half of the "
                f"shortest time-out), got {p.check_period}"
            )
        self._estimator = StateEstimator(robot)
        self._assembler = MeasurementAssembler(robot.spec)
        self._seen: Seen | None = None
        self._proposal: Proposal | None = None  # the newest one
        self._pending = False  # whether the newest one still has to be answered
        self._error: tuple[int, float] = (-1, 0.0)
        self._fault = ""  # what the driver says
        self._answer: JointState | None = None
        self._published_stop: bool | None = None
        self._peers = PeerWatch(self, self._assembler.topics)
        self._echo = Echo()
        self._repeated = self._disordered = 0  # proposals
        self._told_at = clock()  # when the model error was told last

        self._safe = advertise(self, "command/safe")
        self._proposed_heard = advertise(self, "command/proposed/heard")
        self._stop_state = advertise(self, "safety/state")
        self._diagnostics = advertise(self, "/diagnostics")
        for topic in self._assembler.topics:
            listen(self, topic, partial(self._on_sensor, topic))
        listen(self, "adaptation", self._on_adaptation)
        listen(self, "/diagnostics", self._on_diagnostics)
        listen(self, "command/proposed", self._on_proposed, newest=True)
        if not p.lockstep:
            listen(self, "command/heard", self._on_heard)
        self.create_service(Trigger, "safety/stop", self._on_stop)
        self.create_service(Trigger, "safety/reset", self._on_reset)
        if not p.lockstep:
            every(self, p.check_period, self._on_timer)
        self._publish_stop()

    def close(self) -> None:
        """Nothing is held."""

    def _on_sensor(self, topic: str, message: Any) -> None:
        measurement = self._assembler.add(topic, message)
        if measurement is None:
            return
        stamp = nanoseconds(measurement.time)
        if self._seen is None or stamp != self._seen.stamp:
            state = self._estimator.update(measurement)
            self._seen = Seen(stamp, state, measurement.age, self._steady())
            self._peers.stamped(measurement.time, self._steady())
        self._try_answer()

    def _on_adaptation(self, message: DiagnosticArray) -> None:
        values = read_status(message, "dynamics: adaptation", self._owner)
        if values is not None:
            self._error = (from_stamp(message.header.stamp), read_number(values, "error_after"))
            self._told_at = self._steady()
            self._try_answer()

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        if read_status(message, "controller: echo", self._owner) is not None:
            self._complain("a command was proposed that is not the controller's")
        values = read_status(message, "driver: plant", self._owner)
        if values is not None and values.get("fault", "") != self._fault:
            self._fault = values.get("fault", "")
            if self._fault:
                self._speak_up()

    def _on_heard(self, message: JointState) -> None:
        if self._echo.heard(message):
            self._complain("the driver heard a command that is not safety's")

    def _complain(self, what: str) -> None:
        self._peers.note(what, self._steady())
        self._speak_up()

    def _on_proposed(self, message: JointState) -> None:
        self._proposed_heard.publish(message)
        try:
            stamp, action = read_command(self._spec, message)
            failed = action is None
        except ValueError as error:
            stamp, action, failed = from_stamp(message.header.stamp), None, False
            self.get_logger().warning(f"command/proposed: {error}", throttle_duration_sec=5.0)
        if self._proposal is not None:
            self._repeated += stamp == self._proposal.stamp
            self._disordered += stamp < self._proposal.stamp
        self._proposal = Proposal(stamp, action, failed, self._steady())
        self._pending = True
        self._try_answer()

    def _try_answer(self) -> None:
        """Answer the newest proposal once all that belongs to it has come."""
        proposal, seen = self._proposal, self._seen
        if not self._pending or proposal is None:
            return
        if self._answer is not None and proposal.stamp == from_stamp(self._answer.header.stamp):
            self._pending = False
            if self._settings.lockstep:  # asked again: the same answer, not a second step
                self._safe.publish(self._answer)
                return
        elif seen is None or seen.stamp < proposal.stamp:
            return
        waits = self._settings.lockstep and self._settings.adaptation
        if waits and self._error[0] != proposal.stamp:
            return
        self._pending = False
        self._publish(self._check(proposal, seen), proposal.stamp)

    def _check(self, proposal: Proposal | None, seen: Seen | None) -> Checked:
        """One update of the monitor."""
        lockstep, now = self._settings.lockstep, self._steady()
        state_age, command_age = self._ages(now)
        health = Health(
            state_age=state_age,
            command_age=command_age,
            model_error=self._model_error(now),
            planner_failed=proposal is not None and proposal.failed,
            plant_fault=self._fault,
            peers="" if lockstep else self._peers.complaint(now),
        )
        return self._monitor.update(
            self._now(),
            None if proposal is None else proposal.action,
            None if seen is None else seen.state,
            health,
        )

    def _ages(self, now: float) -> tuple[float, float]:
        """Of the newest state and of the newest proposal [s]; inf where there is none."""
        lockstep, seen, proposal = self._settings.lockstep, self._seen, self._proposal
        state_age = command_age = math.inf
        if seen is not None:
            state_age = seen.age + (0.0 if lockstep else now - seen.arrival)
        if proposal is not None:
            command_age = 0.0 if lockstep else now - proposal.arrival
        return state_age, command_age

    def _model_error(self, now: float) -> float:
        """As it was told last; a model that nobody speaks of any more is not trusted."""
        silent = now - self._told_at > MODEL_SILENT and self._error[0] >= 0
        return math.inf if silent and not self._settings.lockstep else self._error[1]

    def _now(self) -> float:
        if self._settings.lockstep:
            return 0.0 if self._seen is None else seconds(self._seen.stamp)
        return self._steady()

    def _publish(self, checked: Checked, stamp: int) -> None:
        self._answer = command_message(self._spec, checked.action, stamp)
        self._echo.sent(self._answer)
        self._safe.publish(self._answer)
        self._publish_stop()
        level = OK if checked.level <= Level.LIMITED else WARN
        values: dict[str, object] = {
            "level": checked.level.name,
            "reasons": "; ".join(checked.reasons),
        }
        states = self._assembler
        values |= {
            "malformed": states.malformed,
            "repeated": states.repeated + self._repeated,
            "disordered": states.disordered + self._disordered,
            "foreign": self._echo.foreign,
        }
        line = status(
            "safety",
            "state",
            self._owner,
            values,
            ERROR if checked.level is Level.LATCHED else level,
            checked.level.name,
        )
        self._diagnostics.publish(diagnostics(stamp, line))

    def _publish_stop(self) -> None:
        stopped = self._monitor.stopped
        if stopped == self._published_stop:
            return
        if stopped:
            reason = self._monitor.stop_reason
            self.get_logger().error(f"LATCHED until safety/reset: {reason}")
        elif self._published_stop:
            self.get_logger().info("the latched stop has been reset")
        self._published_stop = stopped
        self._stop_state.publish(Bool(data=stopped))

    def _on_timer(self) -> None:
        """Speaks up when what should have come has not. Before the first command: rests."""
        now, envelope = self._steady(), self._spec.envelope
        late = self._monitor.config.late_after * envelope.state_timeout
        state_age, command_age = self._ages(now)
        if state_age > late or command_age > envelope.command_timeout:
            self._speak_up()

    def _speak_up(self) -> None:
        checked = self._check(self._proposal, self._seen)
        if self._answer is not None and self._seen is not None:
            self._publish(checked, self._seen.stamp)
        self._publish_stop()

    def _on_stop(self, _: Any, response: Any) -> Any:
        self._monitor.request_stop("service safety/stop")
        if not self._settings.lockstep:
            self._speak_up()
        self._publish_stop()
        response.success, response.message = True, "stopped until safety/reset"
        return response

    def _on_reset(self, _: Any, response: Any) -> Any:
        response.success, response.message = self._monitor.reset(self._now())
        if not response.success:
            self.get_logger().warning(f"safety/reset {response.message}")
        self._publish_stop()
        return response


def build(ending: Ending) -> Sequence[Node]:
    """The nodes of this process."""
    return [SafetyNode()]


def main() -> None:
    """Entry point."""
    raise SystemExit(run(build))


if __name__ == "__main__":
    main()
