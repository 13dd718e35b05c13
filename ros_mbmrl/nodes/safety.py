"""safety: check each proposed command. Only this node publishes `command/safe`.

It answers each `command/proposed` once the state it answers is there, too; a timer notices when
nothing comes any more. Ages are taken from the steady clock, in lockstep from the stamps.
"""

from __future__ import annotations

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
    status,
)
from ros_mbmrl.nodes.parameters import read_parameters
from ros_mbmrl.nodes.peers import PATIENCE, Echo, PeerWatch, missing_listeners
from ros_mbmrl.nodes.process import Ending, run
from ros_mbmrl.nodes.qos import advertise, listen
from ros_mbmrl.nodes.sensors import MeasurementAssembler
from ros_mbmrl.nodes.timers import every
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.safety.inputs import Inputs
from ros_mbmrl.safety.limits import narrowed
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import Checked, Level, SafetyConfig


@dataclass(frozen=True)
class SafetyParameters:
    """Parameters of the node `safety`.

    adaptation: a dynamics node tells its model error. check_period: [s] of the timer.
    monitor: fields of `SafetyConfig`. limits: [low, high] by the name of a command, a state,
    `arena_x` or `arena_y`, within the robot's own.
    await_nodes: names, joined by commas, of nodes that must hear the first answer.
    """

    robot: str = "hexapod"
    lockstep: bool = False
    adaptation: bool = True
    check_period: float = 0.02
    monitor: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
    await_nodes: str = ""


def watched_robot(parameters: SafetyParameters) -> tuple[Robot, SafetyMonitor]:
    """Return the robot within the limits of the parameters, and its monitor.

    Raises:
        UserError: For a wrong limit, a wrong field of `SafetyConfig`, or a timer that is too slow.
    """
    p = parameters
    robot = make_robot(p.robot)
    try:
        robot = narrowed(robot, p.limits)
    except ValueError as error:
        raise UserError(f"safety: limits: {error}") from None
    try:
        monitor = SafetyMonitor(robot, SafetyConfig(**p.monitor))
    except (TypeError, ValueError) as error:
        raise UserError(f"safety: monitor: {error}") from None
    envelope = robot.spec.envelope
    longest = 0.5 * min(envelope.state_timeout, envelope.command_timeout)
    if not 0 < p.check_period <= longest:
        raise UserError(
            f"safety: check_period: expected above 0 s, up to {longest:g} s (half of the "
            f"shortest time-out), got {p.check_period}"
        )
    return robot, monitor


class SafetyNode(Node):
    """Messages around `SafetyMonitor`. clock: [s], steady."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, **options: Any) -> None:
        super().__init__("safety", automatically_declare_parameters_from_overrides=True, **options)
        self._steady = clock
        self._settings = p = read_parameters(self, SafetyParameters)
        robot, self._monitor = watched_robot(p)
        self._spec = robot.spec
        self._owner = owner_of(self, self._spec)
        self._estimator = StateEstimator(robot)
        self._assembler = MeasurementAssembler(robot.spec)
        self._inputs = Inputs(clock, p.lockstep, p.adaptation)
        self._answer: JointState | None = None
        self._asked_at: float | None = None  # when the first proposal came [s]
        self._published_stop: bool | None = None
        self._peers = PeerWatch(self, self._assembler.topics)
        self._echo = Echo()

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
        """Release nothing: nothing is held."""

    def _on_sensor(self, topic: str, message: Any) -> None:
        measurement = self._assembler.add(topic, message)
        if measurement is None:
            return
        stamp = nanoseconds(measurement.time)
        if self._inputs.is_new(stamp):
            state = self._estimator.update(measurement)
            self._inputs.take_state(stamp, measurement.time, state, measurement.age)
            self._peers.stamped(measurement.time, self._steady())
        self._try_answer()

    def _on_adaptation(self, message: DiagnosticArray) -> None:
        values = read_status(message, "dynamics: adaptation", self._owner)
        if values is not None:
            stamp = from_stamp(message.header.stamp)
            self._inputs.take_error(stamp, read_number(values, "error_after"))
            self._try_answer()

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        if read_status(message, "controller: echo", self._owner) is not None:
            self._complain("a command was proposed that is not the controller's")
        values = read_status(message, "driver: plant", self._owner)
        if values is not None and values.get("fault", "") != self._inputs.plant_fault:
            self._inputs.plant_fault = values.get("fault", "")
            if self._inputs.plant_fault:
                self._speak_up()

    def _on_heard(self, message: JointState) -> None:
        if self._echo.heard(message):
            self._complain("the driver heard a command that is not safety's")

    def _complain(self, what: str) -> None:
        """Answer at once to what is new, and only to that: each answer may be changed, too."""
        if self._peers.note(what, self._steady()):
            self._speak_up()

    def _on_proposed(self, message: JointState) -> None:
        self._proposed_heard.publish(message)
        try:
            stamp, action = read_command(self._spec, message)
            failed = action is None
        except ValueError as error:
            stamp, action, failed = from_stamp(message.header.stamp), None, False
            self.get_logger().warning(f"command/proposed: {error}", throttle_duration_sec=5.0)
        self._inputs.take_proposal(stamp, action, failed)
        self._try_answer()

    def _try_answer(self) -> None:
        """Answer the newest proposal once all that belongs to it has come."""
        if self._inputs.proposal is not None and self._answer is None and self._unheard():
            return
        answered = None if self._answer is None else from_stamp(self._answer.header.stamp)
        proposal = self._inputs.due(answered)
        if proposal is None:
            return
        if self._settings.lockstep and proposal.stamp == answered:
            self._safe.publish(self._answer)  # asked again: the same answer, not a second step
        else:
            self._publish(self._check(), proposal.stamp)

    def _unheard(self) -> bool:
        """Return whether an awaited node would miss an answer; none is awaited for ever."""
        names = filter(None, self._settings.await_nodes.split(","))
        missing = missing_listeners(self, self._safe, names)
        if self._asked_at is None:
            self._asked_at = self._steady()
        return bool(missing) and self._steady() - self._asked_at < PATIENCE

    def _check(self) -> Checked:
        """Return the monitor's answer to the newest state and proposal: one update of it."""
        inputs = self._inputs
        peers = "" if self._settings.lockstep else self._peers.complaint(self._steady())
        return self._monitor.update(
            inputs.now,
            None if inputs.proposal is None else inputs.proposal.action,
            None if inputs.seen is None else inputs.seen.state,
            inputs.health(peers),
        )

    def _publish(self, checked: Checked, stamp: int) -> None:
        self._answer = command_message(self._spec, checked.action, stamp)
        self._echo.sent(self._answer)
        self._safe.publish(self._answer)
        self._publish_stop()
        states, proposals = self._assembler, self._inputs
        values: dict[str, object] = {
            "level": checked.level.name,
            "reasons": "; ".join(checked.reasons),
            "malformed": states.malformed,
            "repeated": states.repeated + proposals.repeated,
            "disordered": states.disordered + proposals.disordered,
            "foreign": self._echo.foreign,
        }
        level = OK if checked.level <= Level.LIMITED else WARN
        level = ERROR if checked.level is Level.LATCHED else level
        line = status("safety", "state", self._owner, values, level, checked.level.name)
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
        """Answer by itself when a state or a proposal is overdue."""
        envelope = self._spec.envelope
        late = self._monitor.config.late_after * envelope.state_timeout
        state_age, command_age = self._inputs.ages()
        if state_age > late or command_age > envelope.command_timeout:
            self._speak_up()

    def _speak_up(self) -> None:
        """Answer the newest state now; before the first proposal, only latch."""
        checked, seen = self._check(), self._inputs.seen
        if self._answer is not None and seen is not None:
            self._publish(checked, seen.stamp)
        self._publish_stop()

    def _on_stop(self, _: Any, response: Any) -> Any:
        self._monitor.request_stop("service safety/stop")
        if not self._settings.lockstep:
            self._speak_up()
        self._publish_stop()
        response.success, response.message = True, "stopped until safety/reset"
        return response

    def _on_reset(self, _: Any, response: Any) -> Any:
        response.success, response.message = self._monitor.reset(self._inputs.now)
        if not response.success:
            self.get_logger().warning(f"safety/reset {response.message}")
        self._publish_stop()
        return response


def build(ending: Ending) -> Sequence[Node]:
    """Return the nodes of this process."""
    return [SafetyNode()]


def main() -> None:
    """Run the node until its process ends."""
    raise SystemExit(run(build))


if __name__ == "__main__":
    main()
