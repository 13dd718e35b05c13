"""recorder: every topic of the graph, as it came, into one MCAP file a run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.node import Node
from rclpy.subscription import MessageInfo

from ros_mbmrl.bringup import PARENT
from ros_mbmrl.data.measurement_messages import AGE
from ros_mbmrl.data.recording import CHUNK_SECONDS, RecordingWriter
from ros_mbmrl.nodes.parameters import read_parameters
from ros_mbmrl.nodes.process import Ending, run
from ros_mbmrl.nodes.qos import listen
from ros_mbmrl.nodes.timers import every
from ros_mbmrl.topics import QOS, TOPICS, Topic

LOOK = 0.1  # [s] between looks at the open chunk's age, for when nothing comes
SLACK = 0.3  # [s] of a chunk's age for the look, the way here, and the writing


@dataclass(frozen=True)
class RecorderParameters:
    """path: the file to write; one that is there already is not written over.

    report: what a report on the file's folder is told of the run, empty for none. It is made
    when the run is over: by `mbmrl launch`, or from here under `ros2 launch`.
    """

    path: str
    report: str = ""
    robot: str = "hexapod"


class RecorderNode(Node):
    """Bytes in, bytes out: nothing is deserialised."""

    linger = 0.2

    def __init__(self, name: str = "recorder", **options: Any) -> None:
        super().__init__(name, automatically_declare_parameters_from_overrides=True, **options)
        self._settings = read_parameters(self, RecorderParameters)
        self._writer = RecordingWriter(
            Path(self._settings.path), chunk_seconds=CHUNK_SECONDS - SLACK
        )
        self._observed = False  # whether the robot has been
        for topic in TOPICS:
            full = self.resolve_topic_name(topic.name)
            listen(self, topic.name, partial(self._on_bytes, full, topic), raw=True, info=True)
        every(self, LOOK, self._writer.flush_if_due)

    def close(self) -> None:
        """Writes what is left and the index; of a start that failed nothing stays."""
        if not self._observed:
            self._writer.discard()
            return
        self._writer.close()
        if self._settings.report and PARENT not in os.environ:
            # In a session of its own: it takes longer than `ros2 launch` has patience.
            folder = str(Path(self._settings.path).parent)
            module = "ros_mbmrl.evaluation.graph_report"
            words = [sys.executable, "-m", module, folder, *self._settings.report.split()]
            subprocess.Popen(words, start_new_session=True)

    def _on_bytes(self, name: str, topic: Topic, data: bytes, info: MessageInfo) -> None:
        now = time.time_ns()
        self._observed |= name.endswith(AGE)
        sent = info["source_timestamp"] or now  # where the middleware does not tell
        self._writer.write_raw(name, topic.type, data, now, sent, QOS[topic.qos])


def build(ending: Ending) -> Sequence[Node]:
    """The nodes of this process."""
    return [RecorderNode()]


def main() -> None:
    """Entry point."""
    raise SystemExit(run(build))


if __name__ == "__main__":
    main()
