"""The whole graph through real bytes: the emulated radio falls silent, and comes back."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
from rclpy.node import Node
from std_srvs.srv import Trigger

from ros_mbmrl import bringup
from ros_mbmrl.data.recording import read_messages
from ros_mbmrl.nodes.messages import read_status
from ros_mbmrl.nodes.qos import listen
from ros_mbmrl.ros_environment import environment
from ros_mbmrl.supervisor import Summary, supervise

SILENT, BACK, LENGTH = 16.0, 19.0, 45.0  # [s] of the emulator's time
# The bound is 0.25 s; a busy machine adds to what it measures.
BOUND = 0.5


class Watcher(Node):
    """Sees the stop and the commands; resets."""

    def __init__(self, context: Any) -> None:
        super().__init__("watcher", namespace="/hexapod", context=context)
        self.stopped: list[bool] = []
        self.moving = False
        listen(self, "safety/state", lambda m: self.stopped.append(m.data))
        listen(self, "command/safe", self._on_command)
        self._reset = self.create_client(Trigger, "safety/reset")

    def _on_command(self, message: Any) -> None:
        self.moving = any(message.velocity)

    def reset(self, until: Callable[[Callable[[], bool]], None]) -> Any:
        until(self._reset.service_is_ready)
        future = self._reset.call_async(Trigger.Request())
        until(future.done)
        return future.result()


class Robot:
    """An emulated robot in a process of its own, and the graph that drives it over its port."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, context: Any, *faults: str
    ) -> None:
        for name, value in environment({"ROS_DOMAIN_ID": str(context.get_domain_id())}).items():
            monkeypatch.setenv(name, value)
        link = folder / "robot"
        self.truth, self.recording = folder / "truth.json", folder / "run.mcap"
        words = [sys.executable, "-m", "ros_mbmrl.cli", "emulate", "velociroach"]
        words += ["--link", str(link), "--path", "figure8", "--noise", "0.1"]
        words += ["--json", str(self.truth), "--fault", *faults, "--duration", str(LENGTH)]
        self.process = subprocess.Popen(
            words, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline().startswith("listening on /dev/")
        given = ["plant:=serial", f"port:={link}", "path:=figure8", "duration:=12"]
        given += [f"recording:={self.recording}", f"seed:={random.randrange(100)}"]
        self._ended: list[Summary] = []
        graph = bringup.graph("adapt", given)
        self._runner = threading.Thread(
            target=lambda: self._ended.append(supervise(graph, echo=print))
        )
        self._runner.start()

    def end(self) -> None:
        """The graph has ended well, and the robot has walked."""
        self._runner.join(60)
        assert self._ended and self._ended[0].status == 0
        self.process.terminate()
        assert self.process.wait(20) == 0
        poses = json.loads(self.truth.read_text())["results"]["poses"]
        assert np.hypot(np.diff(poses["x"]), np.diff(poses["y"])).sum() > 0.5


@pytest.mark.slow
def test_a_silent_radio_stops_the_robot_and_a_reset_lets_it_go(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    until: Callable[[Callable[[], bool]], None],
    spin: Callable[..., None],
    context: Any,
) -> None:
    robot = Robot(tmp_path, monkeypatch, context, f"silent@{SILENT}", f"none@{BACK}")
    watcher = Watcher(context)
    spin(watcher)
    until(lambda: watcher.moving)
    until(lambda: watcher.stopped[-1:] == [True])
    until(lambda: not watcher.moving)
    refused = watcher.reset(until)
    assert not refused.success and "radio silent" in refused.message
    until(lambda: watcher.reset(until).success)
    until(lambda: watcher.moving)
    robot.end()
    assert stop_seconds(robot.recording) < BOUND


@pytest.mark.slow
def test_a_clock_that_is_set_stops_the_robot_and_a_reset_lets_it_go(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    until: Callable[[Callable[[], bool]], None],
    spin: Callable[..., None],
    context: Any,
) -> None:
    """Stamps are 1000 s ahead from then on, to the end."""
    robot = Robot(tmp_path, monkeypatch, context, f"pose_ahead@{SILENT}")
    watcher = Watcher(context)
    spin(watcher)
    until(lambda: watcher.moving)
    until(lambda: watcher.stopped[-1:] == [True])
    until(lambda: not watcher.moving)
    until(lambda: watcher.reset(until).success)
    until(lambda: watcher.moving)
    robot.end()
    told = {
        values["fault"]
        for recorded in read_messages(robot.recording, ["/diagnostics"])
        if (values := read_status(recorded.message, "driver: plant", "hexapod")) is not None
    }
    assert any("stamps of poses leapt by +1000.0" in fault for fault in told)


def stop_seconds(recording: Path) -> float:
    """From the last state before the longest pause to the first safe command to rest after it."""
    states, rests = [], []
    for recorded in read_messages(recording, ["/hexapod/odom", "/hexapod/command/safe"]):
        if recorded.topic.endswith("odom"):
            states.append(recorded.log_time_ns * 1e-9)
        elif not any(recorded.message.velocity):
            rests.append(recorded.log_time_ns * 1e-9)
    last = states[int(np.argmax(np.diff(states)))]
    return min(rest for rest in rests if rest > last) - last
