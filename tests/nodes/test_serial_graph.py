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
from ros_mbmrl.nodes.qos import listen
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


@pytest.mark.slow
def test_a_silent_radio_stops_the_robot_and_a_reset_lets_it_go(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    until: Callable[[Callable[[], bool]], None],
    spin: Callable[..., None],
    context: Any,
) -> None:
    domain = str(context.get_domain_id())
    for name, value in bringup.environment({"ROS_DOMAIN_ID": domain}).items():
        monkeypatch.setenv(name, value)
    link, truth, recording = tmp_path / "robot", tmp_path / "truth.json", tmp_path / "run.mcap"
    words = [sys.executable, "-m", "ros_mbmrl.cli", "emulate", "velociroach"]
    words += ["--link", str(link), "--path", "figure8", "--noise", "0.1", "--json", str(truth)]
    words += ["--fault", f"silent@{SILENT}", f"none@{BACK}", "--duration", str(LENGTH)]
    robot = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    assert robot.stdout is not None and robot.stdout.readline().startswith("listening on /dev/")
    given = ["plant:=serial", f"port:={link}", "path:=figure8", f"recording:={recording}"]
    given += ["duration:=12", f"seed:={random.randrange(100)}"]
    ended: list[Summary] = []
    graph = bringup.graph("adapt", given)
    runner = threading.Thread(target=lambda: ended.append(supervise(graph, echo=print)))
    watcher = Watcher(context)
    spin(watcher)
    runner.start()
    until(lambda: watcher.moving)
    until(lambda: watcher.stopped[-1:] == [True])
    until(lambda: not watcher.moving)
    refused = watcher.reset(until)
    assert not refused.success and "radio silent" in refused.message
    until(lambda: watcher.reset(until).success)
    until(lambda: watcher.moving)
    runner.join(60)
    assert ended and ended[0].status == 0
    robot.terminate()
    assert robot.wait(20) == 0
    assert stop_seconds(recording) < BOUND
    poses = json.loads(truth.read_text())["results"]["poses"]
    assert np.hypot(np.diff(poses["x"]), np.diff(poses["y"])).sum() > 0.5  # it walked


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
