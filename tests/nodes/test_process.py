"""How a node's process ends: with the process that launched it, and on every signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

pytest.importorskip("rclpy")

from ros_mbmrl.bringup import LAUNCHER, PARENT
from ros_mbmrl.nodes.process import DELIVERY, LONGEST_DRAIN, LOOK, _await_end, _deliver, _drain

Until = Callable[[Callable[[], bool]], None]

# Starts a node as a launch does, says its process id, and waits to be killed.
LAUNCH = """
import os, subprocess, sys
prefix = ["nice"] if sys.argv[2] == "prefix" else []
environment = {**os.environ, sys.argv[1]: str(os.getpid())}
words = [sys.executable, "-m", "ros_mbmrl.nodes.safety", "--ros-args", "-r", "__ns:=/hexapod"]
node = subprocess.Popen([*prefix, *words], env=environment, stdout=subprocess.DEVNULL,
                        stderr=open(sys.argv[3], "w"), start_new_session=True)
print(node.pid, flush=True)
node.wait()
"""

# A node whose middleware hangs, with Python's lock, after a clean run and after a failed one.
HANGS = """
import ctypes, sys
from rclpy.node import Node
from ros_mbmrl.nodes.process import run
class Hangs(Node):
    def close(self): print("closed", flush=True)
    def destroy_node(self): ctypes.PyDLL(None).sleep(600)
def build(ending):
    ending.end(int(sys.argv[1]))
    return [Hangs("hangs")]
raise SystemExit(run(build, ["hangs"]))
"""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., tuple[Any, Any]]]:
    """Starts a launch and a node below it; both are ended with the test."""
    processes: list[psutil.Process] = []

    def start(variable: str, prefix: str = "") -> tuple[Any, Any]:
        words = [sys.executable, "-c", LAUNCH, variable, prefix or "none", str(tmp_path / "said")]
        environment = {k: v for k, v in os.environ.items() if k not in (PARENT, LAUNCHER)}
        launch = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
        assert launch.stdout is not None
        node = psutil.Process(int(launch.stdout.readline()))
        processes.extend((psutil.Process(launch.pid), node))
        return launch, node

    yield start
    for process in processes:
        if process.is_running():
            process.kill()


def listening(node: Any) -> bool:
    """Whether the node has got so far that it handles signals."""
    status = Path(f"/proc/{node.pid}/status").read_text()
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("variable", [PARENT, LAUNCHER])
def test_a_node_ends_when_its_launch_is_gone(
    started: Any, until: Until, tmp_path: Path, variable: str, kind: signal.Signals
) -> None:
    launch, node = started(variable)
    until(lambda: listening(node))
    launch.send_signal(kind)
    launch.wait()
    until(lambda: not node.is_running())
    assert "the process that launched this node is gone" in (tmp_path / "said").read_text()


def test_a_launch_need_not_be_the_parent(started: Any, until: Until) -> None:
    """`ros2 launch` may put a prefix between itself and a node, as a debugger."""
    launch, node = started(LAUNCHER, "prefix")
    until(lambda: listening(node))
    launch.kill()
    launch.wait()
    until(lambda: not node.is_running())


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_node_ends_cleanly_on_every_signal(until: Until, kind: signal.Signals) -> None:
    words = [sys.executable, "-m", "ros_mbmrl.nodes.safety"]
    node = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    process = psutil.Process(node.pid)
    until(lambda: listening(process))
    node.send_signal(kind)
    assert node.wait(20.0) == 0
    assert node.stderr is not None and node.stderr.read() == ""


@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize("reaped", [False, True])
def test_an_end_is_noticed_with_and_without_the_kernels_help(
    monkeypatch: pytest.MonkeyPatch, refused: bool, reaped: bool
) -> None:
    def refuse(process: int) -> int:
        raise OSError(38, "Function not implemented")

    if refused:
        monkeypatch.setattr(os, "pidfd_open", refuse)
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    if reaped:
        process.wait()
    _await_end(process.pid)  # a zombie has ended, too
    assert process.wait(0) == 0


class Mailbox:
    """A clock, and an executor whose every look takes some time and may take a message in.

    arrivals: when messages come [s]; pauses: how long the process is not run [s], by look.
    """

    def __init__(self, arrivals: list[float], pauses: dict[int, float] | None = None) -> None:
        self.now, self.looks, self.arrivals = 0.0, 0, arrivals
        self.pauses = pauses or {}
        self.node: Any = SimpleNamespace(linger=0.2, received=0)

    def spin_once(self, timeout_sec: float) -> None:
        self.looks += 1
        self.now += self.pauses.get(self.looks, timeout_sec)
        if self.arrivals and self.arrivals[0] <= self.now:
            self.arrivals.pop(0)
            self.node.received += 1

    def drain(self) -> None:
        executor: Any = self
        _drain(executor, self.node, lambda: self.now)


def test_draining_ends_when_nothing_has_come_for_a_while() -> None:
    box = Mailbox([0.0, 0.15, 0.3, 0.45, 0.75])  # the last one comes .3 s after the one before
    box.drain()
    assert box.arrivals == [0.75] and box.now == pytest.approx(0.66, abs=0.03)


def test_time_in_which_a_process_was_not_run_does_not_count_as_quiet() -> None:
    box = Mailbox([0.0] * 3 + [0.9] * 30, {4: 0.9})
    box.drain()
    assert not box.arrivals


def test_draining_is_bounded() -> None:
    box = Mailbox([0.01 * k for k in range(1000)])
    box.drain()
    assert box.now == pytest.approx(LONGEST_DRAIN, abs=0.03) and box.arrivals


def test_a_node_that_does_not_linger_ends_at_once() -> None:
    box = Mailbox([0.0])
    box.node = SimpleNamespace()
    box.drain()
    assert box.looks == 0


def test_all_publishers_share_the_time_that_delivery_may_take() -> None:
    now, asked = [0.0], {"never": 0, "late": 0, "last": 0}

    def publisher(name: str, answer: float) -> Any:
        def acknowledged(timeout: Any) -> bool:
            asked[name] += 1
            now[0] += timeout.nanoseconds / 1e9
            return now[0] >= answer

        return SimpleNamespace(wait_for_all_acked=acknowledged)

    each = [publisher("late", 1.0), publisher("never", 1e9), publisher("last", 1e9)]
    node: Any = SimpleNamespace(publishers=each)
    _deliver([node], lambda: now[0])
    assert now[0] == pytest.approx(DELIVERY, abs=0.05)
    assert asked["late"] == pytest.approx(1.0 / LOOK, abs=1) and asked["last"] == 1


@pytest.mark.parametrize("status", [0, 1])
def test_a_middleware_that_hangs_changes_no_status(status: int) -> None:
    words = [sys.executable, "-c", HANGS, str(status)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (status, "closed\n"), done.stderr
    assert "in destroy_node" in done.stderr
