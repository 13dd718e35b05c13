"""What listens, listens on this machine's loopback alone, and takes no frame without end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from ros_mbmrl import bringup
from ros_mbmrl.plants.emulators.tcp_line import TcpLine
from ros_mbmrl.plants.wire.xbee_decoder import Decoder
from ros_mbmrl.ros_environment import environment

PATIENCE = 60.0  # [s]


@contextmanager
def running(*words: str, environment: dict[str, str] | None = None) -> Iterator[Any]:
    """A process of the project."""
    process = subprocess.Popen(
        [sys.executable, "-m", *words], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def addresses(process: Any) -> set[str]:
    """Where a process and its children can be reached from: addresses of its open sockets."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    sockets = [each for member in family for each in member.net_connections("inet")]
    return {each.laddr.ip for each in sockets if each.laddr and not each.raddr}


def test_the_emulated_rosbridge_is_on_loopback() -> None:
    with running("ros_mbmrl.cli", "emulate", "rosbridge", "--port", "0") as process:
        assert process.stdout.readline().startswith("listening on ws://127.0.0.1:")
        assert addresses(process) == {"127.0.0.1"}


def test_the_emulated_radio_opens_no_port_of_the_network() -> None:
    words = ("ros_mbmrl.cli", "emulate", "velociroach", "--mocap-topic", "/pose")
    with running(*words) as process:
        assert process.stdout.readline().startswith("listening on /dev/")
        listening = [
            each
            for each in psutil.Process(process.pid).net_connections("tcp")
            if each.status == psutil.CONN_LISTEN
        ]
        assert listening == []


def test_a_tcp_line_is_on_loopback() -> None:
    async def opened() -> list[str]:
        line = TcpLine()
        await line.open(0, 1)
        assert line._server is not None
        names = [socket.getsockname()[0] for socket in line._server.sockets]
        await line.close()
        return names

    assert asyncio.run(opened()) == ["127.0.0.1"]


@pytest.mark.parametrize("asked", [None, "SUBNET"])
def test_a_node_started_alone_listens_here_unless_asked(asked: str | None, domain: int) -> None:
    """The ports that RTPS prescribes for a participant; those it sends from are any."""
    pytest.importorskip("rclpy")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ROS_", "FASTDDS"))}
    environment |= {"ROS_DOMAIN_ID": str(domain)}
    environment |= {"ROS_AUTOMATIC_DISCOVERY_RANGE": asked} if asked else {}
    with running("ros_mbmrl.nodes.safety", environment=environment) as process:
        end = time.monotonic() + PATIENCE
        while not (found := unicast(process, domain)) and time.monotonic() < end:
            time.sleep(0.05)
        # A lock in shared memory outlives a process that is killed while it holds it.
        maps = Path(f"/proc/{process.pid}/maps")
        assert not maps.exists() or "/dev/shm/fastdds" not in maps.read_text()
        if asked:
            assert "0.0.0.0" in found
        else:
            assert found == {"127.0.0.1"}


def unicast(process: Any, domain: int) -> set[str]:
    """Addresses at which a participant of the middleware takes unicast data: RTPS 2.5, 9.6.2.3."""
    sockets = psutil.Process(process.pid).net_connections("udp")
    ports = range(7400 + 250 * domain + 10, 7400 + 250 * (domain + 1))
    return {each.laddr.ip for each in sockets if each.laddr.port in ports}


def test_ros2_launch_sets_the_same_environment(
    launching: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in environment({}):
        monkeypatch.delenv(name, raising=False)
    (entities,) = launching.describe("twin").given
    kinds = [type(each).__name__ for each in entities]
    told = dict(each.given for each in entities if type(each).__name__ == "SetEnvironmentVariable")
    assert told["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "SYSTEM_DEFAULT"
    assert Path(told["FASTDDS_DEFAULT_PROFILES_FILE"]).name == "loopback.xml"
    assert kinds.index("OpaqueFunction") > kinds.index("SetEnvironmentVariable")
    nodes = [launching._node(spec) for spec in bringup.graph("twin", ["record:=false"])]
    assert [node.named["ros_arguments"] for node in nodes] == [
        ["--enclave", f"/hexapod/{name}"] for name in ("safety", "robot_state", "driver")
    ]


@pytest.mark.parametrize("rest", [b"\x7e\xff\xff", b"\x7e\x00\x50\x81", bytes(64), b"\x7e" * 64])
def test_a_length_on_the_radio_makes_no_buffer_grow(rest: bytes) -> None:
    decoder = Decoder()
    for _ in range(2000):
        decoder.feed(rest)
        assert len(decoder._buffer) < 300


def test_a_frame_without_end_ends_a_web_socket() -> None:
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    with running("ros_mbmrl.cli", "emulate", "rosbridge", "--port", "0") as process:
        url = process.stdout.readline().split()[-1]
        with connect(url, compression=None, max_size=None) as host:
            host.send("x" * (4 << 20))
            with pytest.raises(ConnectionClosed) as closed:
                host.recv(timeout=10)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009
        with connect(url) as host:  # the next one is served
            host.send("leg")
            assert "not JSON" in str(host.recv(timeout=10))


def test_a_host_hangs_up_on_a_frame_without_end() -> None:
    from websockets.sync.server import serve

    from ros_mbmrl.plants.wire.rosbridge_link import LinkConfig, RosbridgeLink

    received: list[Any] = []
    lost: list[str] = []
    with serve(lambda peer: peer.send("x" * (4 << 20)), "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        gone = threading.Event()

        def on_lost(reason: str) -> None:
            lost.append(reason)
            gone.set()

        link = RosbridgeLink(url, lambda: None, received.append, on_lost, LinkConfig())
        link.start()
        assert gone.wait(PATIENCE)
        link.close()
        server.shutdown()
    assert received == [] and lost
