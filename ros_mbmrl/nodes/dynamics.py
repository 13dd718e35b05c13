"""dynamics: follows states and sent commands, holds the prior. Lives in `adaptive`."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from sensor_msgs.msg import JointState

from ros_mbmrl.adaptation.base import Adapted
from ros_mbmrl.adaptation.guard import make_guard
from ros_mbmrl.data.measurement_assembler import MeasurementAssembler
from ros_mbmrl.dynamics.blank import blank_model
from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.home import expand_home
from ros_mbmrl.nodes.links import Links
from ros_mbmrl.nodes.mailbox import CommandLog, Mailbox
from ros_mbmrl.nodes.messages import (
    OK,
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
from ros_mbmrl.nodes.qos import advertise, listen
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.delay import DelayMeter
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array


@dataclass(frozen=True)
class DynamicsParameters:
    """model: a model folder; empty: with `learning`, none was learned yet. method: how it is
    adapted; empty: as its card says.

    guard: False accepts every finite update. compensate_delay: plan for when a command acts.
    lockstep: there, commands act at once. learning: see `ControllerParameters`.
    """

    model: str
    robot: str = "hexapod"
    method: str = ""
    guard: bool = True
    compensate_delay: bool = True
    lockstep: bool = False
    learning: str = ""


@dataclass(frozen=True)
class StateSeen:
    """A state, its stamp [ns] and when it came; again: it was sent before."""

    stamp: int
    state: Array
    arrival: float
    again: bool = False


class DynamicsNode(Node):
    """The executor fills `states` and `commands`; the worker adapts `model` under `guard`."""

    def __init__(
        self,
        *others: type,
        name: str = "dynamics",
        links: Links | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name, automatically_declare_parameters_from_overrides=True, **options)
        self.settings = p = read_parameters(self, DynamicsParameters, *others)
        self.robot = make_robot(p.robot)
        self._owner = owner_of(self, self.robot.spec)
        self._delays = DelayMeter()
        self.blank = bool(p.learning) and not p.model
        if self.blank:
            loaded, method = blank_model(self.robot), None
        else:
            loaded = load_model(Path(expand_home(p.model, "model")), self.robot)
            method = p.method or None
        self.model, self.value = loaded.model, loaded.value
        self.guard = make_guard(loaded, method, enabled=p.guard)
        self.states: Mailbox[StateSeen] = Mailbox()
        self.commands = CommandLog()
        self._estimator = StateEstimator(self.robot)
        self._assembler = MeasurementAssembler(self.robot.spec)
        self._last: StateSeen | None = None
        self._adaptation = advertise(self, "adaptation", links)
        if links is not None and links.measured:
            links.observe(self._on_measurement)
        else:
            for topic in self._assembler.topics:
                listen(self, topic, partial(self._on_sensor, topic))
        listen(self, "command/safe", self._on_command, links=links)
        self._compensates = p.compensate_delay
        if not p.lockstep:
            listen(self, "/diagnostics", self._on_diagnostics, links=links)

    @property
    def delay(self) -> float:
        """From a state to when the command that answers it acts [s], as the driver tells it."""
        return self._delays.seconds if self._compensates else 0.0

    @property
    def state(self) -> Array | None:
        """Return the newest state (ds,); None before the first."""
        last = self._last
        return None if last is None else last.state

    def close(self) -> None:
        """Nothing is held."""

    def publish(self, stamp: int, adapted: Adapted, milliseconds: float) -> None:
        """Tell how the adaptation to the state stamped `stamp` [ns] went."""
        values = {**asdict(adapted.report), "ms": milliseconds}
        line = status("dynamics", "adaptation", self._owner, values, OK, adapted.report.reason)
        self._adaptation.publish(diagnostics(stamp, line))

    def _on_sensor(self, topic: str, message: Any) -> None:
        measurement = self._assembler.add(topic, message)
        if measurement is not None:
            self._on_measurement(measurement)

    def _on_measurement(self, measurement: Measurement) -> None:
        stamp, last = nanoseconds(measurement.time), self._last
        if last is not None and last.stamp == stamp:
            self.states.put(StateSeen(stamp, last.state, time.monotonic(), again=True))
            return
        state = self._estimator.update(measurement)
        self._last = StateSeen(stamp, state, time.monotonic())
        self.states.put(self._last)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        values = read_status(message, "driver: timing", self._owner)
        if values is not None:
            self._delays.add(read_number(values, "delay_s"))
            if values.get("limited") == "1":
                # Sent before the next state, on another topic: seldom too late to drop the row.
                self.commands.put(from_stamp(message.header.stamp), None)

    def _on_command(self, message: JointState) -> None:
        try:
            stamp, action = read_command(self.robot.spec, message)
        except ValueError:
            return  # not from our safety node; the driver turns it away, too
        if action is not None:
            self.commands.put(stamp, action)
