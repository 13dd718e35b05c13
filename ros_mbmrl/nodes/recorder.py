"""recorder: every topic of the graph, as it came, into one MCAP file a run."""

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
from rclpy.subscription import MessageInfo

from ros_mbmrl.bringup import PARENT
from ros_mbmrl.data.measurement_messages import AGE
from ros_mbmrl.data.recording import CHUNK_SECONDS, RecordingWriter
from ros_mbmrl.home import expand_home
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
    when the run is over: by `mbmrl launch`, or from here under `ros2 launch`. run: what the
    driver of this graph says in its diagnostics once it was commanded: without that the start
    failed, and nothing is kept. Empty: any robot's state will do.
    """

    path: str
    report: str = ""
    run: str = ""
    robot: str = "hexapod"


class RecorderNode(Node):
    """Bytes in, bytes out: nothing is deserialised."""

    linger = 0.2

    def __init__(self, name: str = "recorder", **options: Any) -> None:
        super().__init__(name, automatically_declare_parameters_from_overrides=True, **options)
        self._settings = read_parameters(self, RecorderParameters)
        self._path = Path(expand_home(self._settings.path, "path"))
        # As a message holds a text: after the last byte of its length, and with a zero at its end.
        self._run = f"\0{self._settings.run}\0".encode()
        self._new_folders = [each for each in self._path.parents if not each.exists()]
        self._writer = RecordingWriter(self._path, chunk_seconds=CHUNK_SECONDS - SLACK)
        self._begun = False  # whether there is something to keep
        for topic in TOPICS:
            full = self.resolve_topic_name(topic.name)
            listen(self, topic.name, partial(self._on_bytes, full, topic), raw=True, info=True)
        every(self, LOOK, self._writer.flush_if_due)

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

    def _on_bytes(self, name: str, topic: Topic, data: bytes, info: MessageInfo) -> None:
        now = time.time_ns()
        if not self._begun:
            self._begun = self._run in data if self._settings.run else name.endswith(AGE)
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
