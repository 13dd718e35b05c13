"""The whole graph as a collector: what it pushes, when it is killed, and when it is stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

pytest.importorskip("rclpy")
from rclpy.node import Node
from std_srvs.srv import Trigger

from ros_mbmrl.data.from_recording import rollouts_from_recording
from ros_mbmrl.learning.asynchronous.pause import Pause
from ros_mbmrl.learning.asynchronous.servers import Servers
from ros_mbmrl.ros_environment import environment
from ros_mbmrl.share import find

STEPS = 20  # of an episode
MODEL = find("models/hexapod/mb")


class Graph:
    """`mbmrl launch adapt` with a run, in a process of its own, until it is ended."""

    def __init__(self, run: Path, recording: Path, trajectories: int) -> None:
        words = ["path:=figure8", f"learning:={run}", f"episode_seconds:={STEPS / 10}"]
        words += [f"trajectories:={trajectories}", f"recording:={recording}"]
        command = [sys.executable, "-m", "ros_mbmrl.cli", "launch", "adapt", *words]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)

    def kill(self) -> None:
        """Kill the supervisor and every node at once."""
        parent = psutil.Process(self.process.pid)
        for each in [parent, *parent.children(recursive=True)]:
            os.kill(each.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def launch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, domain: int
) -> Iterator[Callable[..., Graph]]:
    for name, value in environment({"ROS_DOMAIN_ID": str(domain)}).items():
        monkeypatch.setenv(name, value)
    graphs: list[Graph] = []

    def start(run: Path, trajectories: int) -> Graph:
        recording = tmp_path / f"{len(graphs)}.mcap"
        graphs.append(Graph(run, recording, trajectories))
        return graphs[-1]

    yield start
    for each in graphs:
        if each.process.poll() is None:
            each.kill()


@pytest.mark.slow
def test_a_graph_that_is_killed_loses_its_episode_alone(
    launch: Callable[..., Graph], tmp_path: Path, until: Callable[[Callable[[], bool]], None]
) -> None:
    run = tmp_path / "run"
    servers = Servers(run)
    servers.models.push(lambda f: shutil.copytree(str(MODEL), f, dirs_exist_ok=True))
    first = launch(run, trajectories=5)
    until(lambda: len(servers.data) >= 2)
    phases = lambda: servers.heartbeats()["graph-0"]["phase"]  # noqa: E731
    until(lambda: phases() == "running")
    first.kill()
    kept = len(servers.data)
    second = launch(run, trajectories=5)
    until(lambda: second.process.poll() is not None)
    assert second.process.returncode == 0, second.lines
    assert kept < len(servers.data) == 5
    found = servers.data.since(0)
    assert {len(each.rollout) for each in found} == {STEPS}
    assert {each.model_version for each in found} == {0}  # there before the first command
    recorded = rollouts_from_recording(tmp_path / "1.mcap")
    for live, told in zip(found[kept:], recorded, strict=False):
        assert told.tags["model_version"] == "0"
        same = np.isin(live.rollout.times, told.times)
        np.testing.assert_array_equal(live.rollout.states[same], told.states[: same.sum()])


class Operator(Node):
    """Stops the robot, and resets."""

    def __init__(self, context: Any) -> None:
        super().__init__("stopper", namespace="/hexapod", context=context)
        self._calls = {
            name: self.create_client(Trigger, f"safety/{name}") for name in ("stop", "reset")
        }

    def call(self, name: str, until: Callable[[Callable[[], bool]], None]) -> bool:
        client = self._calls[name]
        until(client.service_is_ready)
        future = client.call_async(Trigger.Request())
        until(future.done)
        return bool(future.result().success)


@pytest.mark.slow
def test_an_emergency_stop_pauses_the_run_and_a_reset_goes_on(
    launch: Callable[..., Graph],
    tmp_path: Path,
    until: Callable[[Callable[[], bool]], None],
    spin: Callable[..., None],
    context: Any,
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    servers, operator = Servers(run), Operator(context)
    spin(operator)
    graph = launch(run, trajectories=3)
    until(lambda: len(servers.data) >= 1)
    until(lambda: servers.heartbeats()["graph-0"]["phase"] == "running")
    assert operator.call("stop", until)
    until(lambda: "safety/reset" in Pause(run).reason)
    until(lambda: servers.heartbeats()["graph-0"]["phase"] == "paused")
    kept = len(servers.data)
    threading.Event().wait(2 * STEPS / 10)  # in which an episode would have been pushed
    assert len(servers.data) == kept
    until(lambda: operator.call("reset", until))
    until(lambda: Pause(run).reason == "")
    until(lambda: graph.process.poll() is not None)
    assert graph.process.returncode == 0, graph.lines
    assert len(servers.data) == 3
