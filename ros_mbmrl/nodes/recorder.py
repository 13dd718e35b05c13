"""recorder: every topic of the graph, as it came, into one MCAP file a run.

Transforms are added here, of each measurement: `tf2_msgs` may not be there to carry them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.node import Node
from rclpy.serialization import deserialize_message
from rclpy.subscription import MessageInfo

from ros_mbmrl.bringup import PARENT
from ros_mbmrl.collection.robot_file import robot_file
from ros_mbmrl.collection.transforms import RecordedTransforms
from ros_mbmrl.data.measurement_assembler import MeasurementAssembler
from ros_mbmrl.data.measurement_messages import AGE
from ros_mbmrl.data.recording import CHUNK_SECONDS, RecordingWriter
from ros_mbmrl.home import expand_home
from ros_mbmrl.nodes.parameters import read_parameters
from ros_mbmrl.nodes.process import Ending, run
from ros_mbmrl.nodes.progress import Progress
from ros_mbmrl.nodes.qos import KEPT, listen, message_class
from ros_mbmrl.nodes.timers import every
from ros_mbmrl.robots import make_robot
from ros_mbmrl.topics import QOS, ROBOT_FILE, TOPICS, Topic, topic

LOOK = 0.1  # [s] between looks at the open chunk's age, for when nothing comes
SLACK = 0.3  # [s] of a chunk's age for the look, the way here, and the writing


@dataclass(frozen=True)
class RecorderParameters:
    """path: the file to write; one that is there already is not written over.

    report: what a report on the file's folder is told of the run, empty for none. It is made
    when the run is over: by `mbmrl launch`, or from here under `ros2 launch`. run: what the
    driver of this graph says in its diagnostics once it was commanded: without that the start
    failed, and nothing is kept. Empty: any robot's state will do. tell_every: [s] between lines on
    how the run goes, 0 for none; duration: of the run [s], 0 without end, and fault: NAME@SECONDS,
    are for these lines.
    """

    path: str
    report: str = ""
    run: str = ""
    tell_every: float = 0.0
    duration: float = 0.0
    fault: str = ""
    robot: str = "hexapod"

    def __post_init__(self) -> None:
        for name in ("tell_every", "duration"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}: expected 0 s or more, got {getattr(self, name)}")


class RecorderNode(Node):
    """Bytes in, bytes out. Deserialised are measurements, for their transforms, and what the line
    tells on how the run goes.
    """

    linger = 0.2

    def __init__(self, name: str = "recorder", **options: Any) -> None:
        super().__init__(name, automatically_declare_parameters_from_overrides=True, **options)
        self._settings = read_parameters(self, RecorderParameters)
        self._path = Path(expand_home(self._settings.path, "path"))
        # As a message holds a text: after the last byte of its length, and with a zero at its end.
        self._run = f"\0{self._settings.run}\0".encode()
        self._new_folders = [each for each in self._path.parents if not each.exists()]
        self._writer = RecordingWriter(self._path, chunk_seconds=CHUNK_SECONDS - SLACK)
        self._assembler = MeasurementAssembler(make_robot(self._settings.robot).spec, KEPT)
        self._transforms = RecordedTransforms(self._settings.robot)
        self._begun = False  # whether there is something to keep
        self.received = 0  # messages
        self._write_robot_file()
        # What the robot measures comes last: others learn of subscriptions in the order in which
        # they were made, so a driver that finds this node there knows of all its others, too.
        for known in reversed(TOPICS):
            full = self.resolve_topic_name(known.name)
            take = partial(self._on_bytes, full, known)
            listen(self, known.name, take, raw=True, info=True, depth=KEPT)
        every(self, LOOK, self._writer.flush_if_due)
        self._progress: Progress | None = None
        if self._settings.tell_every > 0:
            owner = self.get_namespace().strip("/") or self._settings.robot
            self._progress = Progress(owner, self._settings.duration, self._settings.fault)
            every(self, self._settings.tell_every, self._tell)

    def close(self) -> None:
        """Writes what is left and the index; of a start that failed nothing stays."""
        if not self._begun:
            self._writer.discard()
            print(f"{self._path}: not kept, for the run did not begin", flush=True)
            with suppress(OSError):  # somebody else may have put something there
                for folder in self._new_folders:
                    folder.rmdir()
            return
        self._writer.close()
        if self._settings.report and PARENT not in os.environ:
            # In a session of its own: it takes longer than `ros2 launch` has patience.
            module = "ros_mbmrl.evaluation.graph_report"
            where, told = str(self._path.parent), self._settings.report.split()
            words = [sys.executable, "-m", module, where, *told]
            subprocess.Popen(words, start_new_session=True)

    def _on_bytes(self, name: str, known: Topic, data: bytes, info: MessageInfo) -> None:
        now = time.time_ns()
        self.received += 1
        if not self._begun:
            self._begun = self._run in data if self._settings.run else name.endswith(AGE)
        sent = info["source_timestamp"] or now  # where the middleware does not tell
        self._writer.write_raw(name, known.type, data, now, sent, QOS[known.qos])
        if self._progress is not None:
            self._progress.take(known.name, data)
        if known.name in self._assembler.topics:
            self._add_transforms(known, data, now)

    def _write_robot_file(self) -> None:
        data, now = robot_file(self._settings.robot), time.time_ns()
        if data is not None:
            name = self.resolve_topic_name(ROBOT_FILE.name)
            self._writer.write_raw(name, ROBOT_FILE.type, data, now, now, QOS[ROBOT_FILE.qos])

    def _tell(self) -> None:
        line = self._progress.line() if self._progress is not None else ""
        if line:
            print(line, flush=True)

    def _add_transforms(self, part: Topic, data: bytes, now: int) -> None:
        """Record the transforms of a measurement, once its last part has come."""
        try:
            message = deserialize_message(data, message_class(part.type))
            measurement = self._assembler.add(part.name, message)
        except Exception:  # noqa: BLE001 (whatever is wrong with it, it has been recorded)
            return
        for name, made in () if measurement is None else self._transforms.of(measurement):
            known = topic(name)
            self._writer.write_raw(name, known.type, made, now, now, QOS[known.qos])


def build(ending: Ending) -> Sequence[Node]:
    """The nodes of this process."""
    return [RecorderNode()]


def main() -> None:
    """Entry point."""
    raise SystemExit(run(build))


if __name__ == "__main__":
    main()
