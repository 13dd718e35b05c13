"""The whole graph under a viewer, whose server is killed while it runs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("foxglove")
from foxglove.messages import FrameTransforms, SceneUpdate

from ros_mbmrl.data.recording import read_messages, recording_info
from ros_mbmrl.view.diagnostics import FIGURES

PATIENCE = 60.0  # [s]
SECONDS = 12  # of control
ALWAYS = (
    *("odom", "joint_states", "imu", "battery", "back_emf", "sensor_time", "adaptation"),
    *("command/proposed", "command/safe", "plan", "plan/candidates"),
)


class Graph:
    """`mbmrl launch adapt` in a process of its own; lines: what it has printed.

    In lockstep, where nothing depends on how busy the machine is.
    """

    def __init__(self, recording: Path, *words: str) -> None:
        self.recording, self.lines = recording, list[str]()
        given = ["robot:=hexapod", f"duration:={SECONDS}", "lockstep:=true", "seed:=3"]
        given += [f"recording:={recording}", *words]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ros_mbmrl.cli", "launch", "adapt", *given],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(line.rstrip() for line in self.process.stdout)

    def said(self, what: str) -> bool:
        return any(what in line for line in self.lines)

    def view(self) -> int | None:
        """The process of the view."""
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.Error):
                if "ros_mbmrl.nodes.view" in child.cmdline():
                    return int(child.pid)
        return None

    def end(self) -> int:
        status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status


@pytest.fixture
def launch(tmp_path: Path, domain: int) -> Iterator[Callable[..., Graph]]:
    made: list[Graph] = []

    def launch(name: str, *words: str) -> Graph:
        made.append(Graph(tmp_path / name, *words))
        return made[-1]

    yield launch
    for graph in made:
        graph.process.terminate()
        graph.process.wait(PATIENCE)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def connected(graph: Graph, port: int, connect: Callable[[str], Any]) -> Any:
    """A viewer of the graph, as soon as it can be connected to."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return connect(f"ws://127.0.0.1:{port}")
        except OSError:
            assert time.monotonic() < end and graph.process.poll() is None, graph.lines
            time.sleep(0.05)


def commands(recording: Path) -> dict[int, list[float]]:
    """What the robot was told, by the stamp of the state that it answers."""
    found = {}
    for each in read_messages(recording, ("/hexapod/command/safe",)):
        stamp = each.message.header.stamp
        found[stamp.sec * 10**9 + stamp.nanosec] = list(each.message.velocity)
    return found


def test_a_viewer_sees_all_and_its_servers_death_changes_nothing(
    launch: Callable[..., Graph], connect: Callable[[str], Any], read: Any
) -> None:
    port = free_port()
    graph = launch("viewed.mcap", "view:=foxglove", f"view_port:={port}")
    viewer = connected(graph, port, connect)
    counts = viewer.counts
    needed = [*(f"/hexapod/{name}" for name in ALWAYS), "/view/candidates", "/view/plan"]
    needed += ["/view/transforms", *(topic for topic in FIGURES if topic != "/view/driver/plant")]
    viewer.until(lambda: min(counts()[topic] for topic in needed) >= 20)
    assert {"/hexapod/reference", "/view/reference", "/view/robot", "/view/driven"} <= set(counts())

    bases = [
        each.translation
        for _, data in viewer.seen["/view/transforms"]
        for each in read(FrameTransforms, data).transforms
        if each.child_frame_id == "base_link"
    ]
    moved = [(b.x - bases[0].x, b.y - bases[0].y) for b in bases]
    assert max(x * x + y * y for x, y in moved) > 0.05**2  # it walks
    (cloud,) = read(SceneUpdate, viewer.seen["/view/candidates"][-1][1]).entities
    assert len(cloud.lines) >= 20
    assert len({(line.color.r, line.color.g) for line in cloud.lines}) >= 20
    for topic, sample in FIGURES.items():
        told = {name for _, data in viewer.seen.get(topic, []) for name in json.loads(data)}
        assert set(sample) - told <= {"offset_s", "delay_s"}, topic  # nan until a command acted

    view = graph.view()
    assert view is not None
    os.kill(view, signal.SIGKILL)
    assert graph.end() == 0, graph.lines
    assert graph.said("[view] ended with status -9: starting it again")
    assert recording_info(graph.recording).complete

    alone = launch("alone.mcap")
    assert alone.end() == 0, alone.lines
    told = commands(graph.recording)
    assert len(told) >= 10 * SECONDS - 1
    assert told == commands(alone.recording)


def test_a_taken_port_is_told_and_the_run_goes_on(launch: Callable[..., Graph]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        graph = launch("run.mcap", "view:=foxglove", f"view_port:={port}", "duration:=2")
        assert graph.end() == 0, graph.lines
    said = [line for line in graph.lines if line.startswith("[view]")]
    assert len(said) == 2, graph.lines
    assert f"127.0.0.1:{port} is taken" in said[0]
    assert said[1] == "[view] ended with status 2: the run goes on without it"
    assert recording_info(graph.recording).complete
