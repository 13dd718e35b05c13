import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_mbmrl.plants.emulators.pr2_side import load_watchdog

HERE = Path(__file__).resolve()
FILE = HERE.parents[2] / "robot_side" / "pr2_watchdog.py"
SYSTEM_PYTHON = "/usr/bin/python3"  # ROS 1 of Debian belongs to it
Watchdog = load_watchdog().Watchdog


def at_work(joints: str = "ab") -> Any:
    """A watchdog at time 0 that has just let go."""
    watchdog = Watchdog(joints)
    for joint in joints:
        watchdog.command(joint, 0.0)
    watchdog.heartbeat(0.0)
    assert not watchdog.update(0.0)
    return watchdog


def test_it_starts_tripped_and_lets_go_of_a_host_that_lives_and_commands_zeros() -> None:
    watchdog = Watchdog("ab")
    assert watchdog.update(0.0)
    watchdog.heartbeat(0.0)
    watchdog.command("a", 0.0)
    assert watchdog.update(0.01)
    watchdog.command("b", 0.0)
    assert not watchdog.update(0.02)


def test_a_torque_without_a_heartbeat_ends_after_the_timeout() -> None:
    watchdog = at_work()
    watchdog.command("b", 2.0)
    assert not watchdog.update(0.1)
    assert watchdog.update(0.101)


def test_a_host_at_rest_need_not_live() -> None:
    watchdog = at_work()
    assert not watchdog.update(50.0)
    watchdog.command("a", 1.0)  # and may not move the arm either
    assert watchdog.update(50.0)


def test_it_is_latched_until_every_joint_was_commanded_to_zero() -> None:
    watchdog = at_work()
    watchdog.command("a", 1.0)
    assert watchdog.update(1.0)
    watchdog.heartbeat(1.1)
    assert watchdog.update(1.1)
    watchdog.command("a", 0.0)
    assert watchdog.update(1.1)
    watchdog.command("b", 0.0)
    watchdog.command("a", 1.0)
    assert watchdog.update(1.1)
    watchdog.command("a", -0.0)
    assert watchdog.update(1.3)  # zeros, but the host has gone again
    watchdog.heartbeat(1.3)
    assert not watchdog.update(1.3)


def test_what_is_not_a_number_is_a_torque() -> None:
    watchdog = at_work()
    watchdog.command("a", float("nan"))
    assert watchdog.update(1.0)


def test_a_clock_that_was_set_back_is_no_life() -> None:
    watchdog = at_work()
    watchdog.command("a", 1.0)
    assert watchdog.update(-5.0)


def test_a_timeout_must_be_one() -> None:
    with pytest.raises(ValueError, match="timeout: expected above 0 s, got 0"):
        Watchdog("a", 0)


EVENTS = st.lists(
    st.tuples(
        st.floats(0.0, 0.2),
        st.one_of(st.none(), st.tuples(st.sampled_from("ab"), st.sampled_from([0.0, 1.0]))),
    ),
    max_size=60,
)


@given(EVENTS)
def test_no_torque_acts_longer_than_the_timeout_without_a_heartbeat(
    events: list[tuple[float, tuple[str, float] | None]],
) -> None:
    """An event is a heartbeat (None) or a joint's torque, some time after the one before."""
    watchdog, now, beat = Watchdog("ab"), 0.0, -1.0
    torques = {"a": 1.0, "b": 1.0}  # as whoever was there before left them
    for elapsed, event in events:
        now += elapsed
        if watchdog.update(now):
            torques = dict.fromkeys(torques, 0.0)
        assert not (any(torques.values()) and now - beat > 0.1)
        if event is None:
            watchdog.heartbeat(now)
            beat = now
        else:
            watchdog.command(*event)
            torques[event[0]] = event[1]


def has_ros() -> bool:
    found = shutil.which("rosmaster") and Path(SYSTEM_PYTHON).exists()
    imports = [SYSTEM_PYTHON, "-c", "import rospy, std_msgs.msg"]
    return bool(found) and subprocess.run(imports, capture_output=True).returncode == 0


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A ROS 1 master on a free port; the environment of its nodes."""
    if not has_ros():
        pytest.skip("no ROS 1: apt-get install python3-rospy python3-rosmaster python3-std-msgs")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "ROS_MASTER_URI": f"http://127.0.0.1:{port}",
        "ROS_IP": "127.0.0.1",
        "ROS_LOG_DIR": str(tmp_path),
    }
    with subprocess.Popen(["rosmaster", "--core", "-p", str(port)], env=environment) as master:
        try:
            until_it_listens(port)
            yield environment
        finally:
            master.terminate()


def until_it_listens(port: int) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < end, "rosmaster does not listen"
            time.sleep(0.05)


def test_its_life_under_a_real_master(graph: dict[str, str]) -> None:
    with ExitStack() as held:

        def run(file: Path) -> "subprocess.Popen[str]":
            started = subprocess.Popen(
                [SYSTEM_PYTHON, str(file)], env=graph, stdout=subprocess.PIPE, text=True
            )
            held.enter_context(started)
            held.callback(started.kill)
            return started

        watchdog, host = run(FILE), run(HERE.with_name("ros1_host.py"))
        assert host.stdout is not None
        assert host.stdout.readline() == "end it\n"
        watchdog.send_signal(signal.SIGTERM)
        saw = json.loads(host.stdout.readline())
        assert watchdog.wait(20) == 0
    assert saw.pop("zero_after_s") < 0.2
    assert {name for name, seen in saw.items() if not seen} == set()
    assert len(saw) == 10
