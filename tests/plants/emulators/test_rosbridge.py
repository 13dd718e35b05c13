"""The rosbridge emulator on real sockets: its line, its faults, its command."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.emulators.pr2_side import LIST_CONTROLLERS, PR2Side
from ros_mbmrl.plants.emulators.rosbridge import RosbridgeEmulator
from ros_mbmrl.plants.wire import rosbridge

ELBOW, ELBOW_INDEX = "/effort_l_elbow_flex_joint/command", 3


@pytest.fixture
def emulator(wheels: Any) -> Any:
    with RosbridgeEmulator(lambda now: PR2Side(wheels(), now, False)) as emulator:
        yield emulator


def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def test_over_a_real_socket(emulator: RosbridgeEmulator) -> None:
    with connect(emulator.url, proxy=None) as host:
        host.send(rosbridge.advertise(ELBOW, rosbridge.FLOAT64))
        host.send(rosbridge.publish(ELBOW, {"data": 1.0}))
        host.send(rosbridge.subscribe("/joint_states", rosbridge.JOINT_STATE, throttle_rate=50))
        stamps = []
        for _ in range(6):
            said = rosbridge.decode(host.recv(timeout=5))
            stamps.append(rosbridge.read_joint_states(said["msg"]).stamp)
        assert np.diff(stamps).min() > 0.03
        host.send(rosbridge.call_service(LIST_CONTROLLERS, {}, "q"))
        while said["op"] != "service_response":
            said = rosbridge.decode(host.recv(timeout=5))
        assert (said["id"], said["result"]) == ("q", True)
    assert emulator.side.torques[ELBOW_INDEX] == 1.0  # the host has gone, its torque has not


def test_a_stalled_line_is_silent_and_brings_everything_late(emulator: RosbridgeEmulator) -> None:
    with connect(emulator.url, proxy=None, ping_interval=None) as host:
        host.send(rosbridge.publish(ELBOW, {"data": 1.0}))
        until(lambda: emulator.side.torques[ELBOW_INDEX] == 1.0)
        emulator.stall()
        host.send(rosbridge.publish(ELBOW, {"data": 2.0}))
        assert not host.ping().wait(0.2)
        with pytest.raises(TimeoutError):
            connect(emulator.url, proxy=None, open_timeout=0.2)
        assert emulator.side.torques[ELBOW_INDEX] == 1.0
        emulator.restore()
        until(lambda: emulator.side.torques[ELBOW_INDEX] == 2.0)


def test_a_cut_line_is_closed_and_refused(emulator: RosbridgeEmulator) -> None:
    with connect(emulator.url, proxy=None) as host:
        emulator.cut()
        with pytest.raises(ConnectionClosed):
            host.recv(timeout=5)
    with pytest.raises((OSError, WebSocketException)):
        connect(emulator.url, proxy=None)
    emulator.restore()
    with connect(emulator.url, proxy=None) as host:
        assert host.ping().wait(5)


def test_a_delay_is_added_each_way(emulator: RosbridgeEmulator) -> None:
    with connect(emulator.url, proxy=None, ping_interval=None) as host:
        emulator.ask(lambda side, line: setattr(line, "delay", 0.15))
        began = time.monotonic()
        assert host.ping().wait(5)
        assert time.monotonic() - began > 0.29


def test_a_port_that_is_taken(emulator: RosbridgeEmulator, wheels: Any) -> None:
    second = RosbridgeEmulator(lambda now: PR2Side(wheels(), now, False), emulator.port)
    with pytest.raises(UserError, match=f"port: {emulator.port} cannot be had"), second:
        pass


def test_serve_says_where_it_listens_and_ends_in_time() -> None:
    code = "from ros_mbmrl.plants.emulators.rosbridge import serve; serve(0, 3, 1.0)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        assert first.startswith("listening on ws://127.0.0.1:")
        with connect(first.split()[-1], proxy=None) as host:
            host.send(rosbridge.subscribe("/ros_mbmrl/watchdog", rosbridge.BOOL))
            assert rosbridge.decode(host.recv(timeout=5))["msg"] == {"data": True}
        assert child.wait(20) == 0
