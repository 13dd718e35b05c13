"""Recorder of a run without ROS, with the topics, types and names of the graph's recorder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from ros_mbmrl.collection.episodes import Event
from ros_mbmrl.collection.messages import Messages, command, diagnostic
from ros_mbmrl.collection.robot_file import robot_file
from ros_mbmrl.collection.transforms import RecordedTransforms
from ros_mbmrl.data.measurement_messages import MeasurementMessages, measurement_topics, nanoseconds
from ros_mbmrl.data.recording import RecordingWriter
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, RobotSpec
from ros_mbmrl.safety.types import Checked, Level
from ros_mbmrl.topics import QOS, ROBOT_FILE, topic

EPISODE = "collect: episode"
_WARN, _ERROR = 1, 2


class RunRecorder:
    """Recorder of one MCAP file; a context manager. The first message creates the file.

    Raises UserError for a file that exists, and if no message types are installed. Log times are
    the messages' stamps: on the plant's clock. origin: see `RecordingWriter`.
    """

    def __init__(self, spec: RobotSpec, path: Path, origin: str = "") -> None:
        self._spec, self.path, self._origin = spec, path, origin
        answers = ("command/proposed", "command/safe", "safety/state", "/diagnostics", "episode")
        self._messages = Messages((*measurement_topics(spec), *answers))
        self._measurements = MeasurementMessages(spec, self._messages.blank)
        self._transforms = RecordedTransforms(spec.name)
        self._previous: Measurement | None = None
        self._stopped: bool | None = None
        self._stamp = 0
        if path.exists():
            raise UserError(f"'{path}' is there already: expected a new file")
        self._writer: RecordingWriter | None = None

    def __enter__(self) -> RunRecorder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def measured(self, measurement: Measurement) -> None:
        """Record a measurement; everything recorded after it belongs to it."""
        self._stamp = nanoseconds(measurement.time)
        for name, message in self._measurements.encode(measurement, self._previous).items():
            self._write(name, message)
        for name, data in self._transforms.of(measurement):
            self._write_raw(name, data)
        self._previous = measurement

    def answered(self, proposed: Array | None, checked: Checked, stopped: bool) -> None:
        """Record the proposal (da,), the command that went to the robot, and the reasons."""
        if proposed is not None:
            self._write("command/proposed", self._command("command/proposed", proposed))
        self.commanded(checked.action)
        self.judged(checked, stopped)

    def commanded(self, action: Array) -> None:
        """Record the command (da,) that went to the robot."""
        self._write("command/safe", self._command("command/safe", action))

    def judged(self, checked: Checked, stopped: bool) -> None:
        """Record the safety monitor's state."""
        if self._previous is None:
            return  # there is no measurement yet to which it could belong
        level = _ERROR if checked.level is Level.LATCHED else _WARN
        values = {"level": checked.level.name, "reasons": "; ".join(checked.reasons)}
        self._diagnose("/diagnostics", "safety: state", values, level * (checked.level > 1))
        if stopped != self._stopped:
            self._stopped = stopped
            state = self._blank("safety/state")
            state.data = stopped
            self._write("safety/state", state)

    def happened(self, event: Event) -> None:
        """Record that an episode has started or ended."""
        self._stamp = nanoseconds(event.time)
        self._diagnose("episode", EPISODE, episode_values(event))

    def _command(self, name: str, action: Array) -> Any:
        return command(self._spec, self._blank(name), action, self._stamp)

    def _diagnose(self, name: str, line: str, values: Mapping[str, str], level: int = 0) -> None:
        blank = self._blank(name)
        message = diagnostic(blank, self._stamp, line, self._spec.name, values, level)
        self._write(name, message)

    def _blank(self, name: str) -> Any:
        return self._messages.blank(topic(name).type)

    def _write(self, name: str, message: Any) -> None:
        self._write_raw(name, self._messages.encode(topic(name).type, message))

    def _write_raw(self, name: str, data: bytes) -> None:
        if self._writer is None:
            self._writer = RecordingWriter(self.path, origin=self._origin)
            file = robot_file(self._spec.name)
            if file is not None:
                self._write_raw(ROBOT_FILE.name, file)
        known = topic(name)
        full = name if name.startswith("/") else f"/{self._spec.name}/{name}"
        qos = QOS[known.qos]
        self._writer.write_raw(full, known.type, data, self._stamp, self._stamp, qos)


def episode_values(event: Event) -> dict[str, str]:
    """Return the content of a message on `episode`; all but `event` and `index` become tags."""
    return {
        "event": event.kind,
        "index": str(event.index),
        "terrain": event.terrain,
        "policy": "+".join(event.sources),
    }
