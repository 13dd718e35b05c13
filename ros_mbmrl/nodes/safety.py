"""safety: check each proposed command. Only this node publishes `command/safe`.

It answers each `command/proposed` once the state it answers is there, too; a timer notices when
nothing comes any more. Ages are taken from the steady clock, in lockstep from the stamps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from ros_mbmrl.data.measurement_assembler import MeasurementAssembler
from ros_mbmrl.nodes.links import Links
from ros_mbmrl.nodes.live_parameters import LiveParameters, told
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
from ros_mbmrl.nodes.safety_parameters import SafetyParameters, watched_robot
from ros_mbmrl.nodes.timers import every
from ros_mbmrl.nodes.turns import in_turn
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.runtime.priority import Work
from ros_mbmrl.safety.inputs import Inputs
from ros_mbmrl.safety.live_limits import LiveLimits
from ros_mbmrl.safety.types import Checked, Level

LIVE = ("limits",)


class SafetyNode(Node):
    """Messages around `SafetyMonitor`.

    Threads take turns: in a process with others, each calls with what it publishes.
    own_thread: see `process.Build`.

    Args:
        clock: [s], steady.
        others: dataclasses of the parameters of other nodes in this process.
        links: topics within this process.
    """

    own_thread = False

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        others: tuple[type, ...] = (),
        links: Links | None = None,
        **options: Any,
    ) -> None:
        super().__init__("safety", automatically_declare_parameters_from_overrides=True, **options)
        self._steady, self._turn = clock, threading.RLock()
        self._settings = p = read_parameters(self, SafetyParameters, *others, live=LIVE)
        robot, self._monitor = watched_robot(p)
        self._limits = limits = LiveLimits(robot)
        LiveParameters(
            self,
            LIVE,
            limits.values,
            limits.ranges,
            lambda changes: self._limits.after(changes),
            self._take_limits,
            locked=p.lockstep,
        )
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

        self._safe = advertise(self, "command/safe", links)
        self._proposed_heard = advertise(self, "command/proposed/heard", links)
        self._stop_state = advertise(self, "safety/state", links)
        self._diagnostics = advertise(self, "/diagnostics", links)
        if links is not None and links.measured:
            links.observe(self._on_measurement)
        else:
            for topic in self._assembler.topics:
                listen(self, topic, partial(self._on_sensor, topic))
        listen(self, "adaptation", self._on_adaptation, links=links)
        listen(self, "/diagnostics", self._on_diagnostics, links=links)
        listen(self, "command/proposed", self._on_proposed, newest=True, links=links)
        if not p.lockstep:
            listen(self, "command/heard", self._on_heard, links=links)
        self.create_service(Trigger, "safety/stop", self._on_stop)
        self.create_service(Trigger, "safety/reset", self._on_reset)
        if not p.lockstep:
            every(self, p.check_period, self._on_timer)
            every(self, p.check_period, self._peers.look)
        self._publish_stop()

    @in_turn
    def _take_limits(self, changes: Mapping[str, Any]) -> None:
        """Judge by other limits from the next update on."""
        before, self._limits = self._limits, self._limits.after(changes)
        robot = self._limits.robot
        self._monitor.watch(robot)
        self._spec = robot.spec
        new = self._limits.since(before)
        line = status("safety", "limits", self._owner, new, OK, "acts from the next command on")
        seen = self._inputs.seen
        self._diagnostics.publish(diagnostics(0 if seen is None else seen.stamp, line))
        self.get_logger().info(told(new))

    def close(self) -> None:
        """Release nothing: nothing is held."""

    @in_turn
    def _on_sensor(self, topic: str, message: Any) -> None:
        measurement = self._assembler.add(topic, message)
        if measurement is not None:
            self._on_measurement(measurement)

    @in_turn
    def _on_measurement(self, measurement: Measurement) -> None:
        stamp = nanoseconds(measurement.time)
        if self._inputs.is_new(stamp):
            state = self._estimator.update(measurement)
            self._inputs.take_state(stamp, measurement.time, state, measurement.age)
            self._peers.stamped(measurement.time, self._steady())
        self._try_answer()

    @in_turn
    def _on_adaptation(self, message: DiagnosticArray) -> None:
        values = read_status(message, "dynamics: adaptation", self._owner)
        if values is not None:
            stamp = from_stamp(message.header.stamp)
            self._inputs.take_error(stamp, read_number(values, "error_after"))
            self._try_answer()

    @in_turn
    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        if read_status(message, "controller: echo", self._owner) is not None:
            self._complain("a command was proposed that is not the controller's")
        values = read_status(message, "driver: plant", self._owner)
        if values is not None and values.get("fault", "") != self._inputs.plant_fault:
            self._inputs.plant_fault = values.get("fault", "")
            if self._inputs.plant_fault:
                self._speak_up()

    @in_turn
    def _on_heard(self, message: JointState) -> None:
        if self._echo.heard(message):
            self._complain("the driver heard a command that is not safety's")
            return
        with suppress(ValueError):  # the driver says itself what it cannot read
            action = read_command(self._spec, message)[1]
            if action is not None:
                self._inputs.take_heard(action)

    def _complain(self, what: str) -> None:
        """Answer at once to what is new, and only to that: each answer may be changed, too."""
        if self._peers.note(what, self._steady()):
            self._speak_up()

    @in_turn
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

    @in_turn
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

    @in_turn
    def _on_stop(self, _: Any, response: Any) -> Any:
        self._monitor.request_stop("service safety/stop")
        if not self._settings.lockstep:
            self._speak_up()
        self._publish_stop()
        response.success, response.message = True, "stopped until safety/reset"
        return response

    @in_turn
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
    raise SystemExit(run(build, work=Work.URGENT))


if __name__ == "__main__":
    main()
