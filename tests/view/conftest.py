"""Foxglove's messages read back, a server on a free port, and a client of its protocol."""

from __future__ import annotations

import json
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("foxglove")
pytest.importorskip("websockets")
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as client

from ros_mbmrl.view.address import Address
from ros_mbmrl.view.server import Server

PATIENCE = 60.0  # [s]


class Viewer:
    """A client that subscribes to whatever is announced.

    Attributes:
        told: what came as JSON, by its `op`.
        topics: announced ones, by their number.
        seen: (log time [ns], bytes) of the messages of each topic.
        times: that were told of what is played [ns].
    """

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self.told: dict[str, list[Any]] = {}
        self.topics: dict[int, dict[str, Any]] = {}
        self.seen: dict[str, list[tuple[int, bytes]]] = {}
        self.times: list[int] = []

    def until(self, condition: Callable[[], bool]) -> None:
        """Receive until a condition holds, and fail if it does not come."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"seen: {self.counts()}"
            try:
                self.take(self._socket.recv(timeout=0.1))
            except TimeoutError:
                continue
            except ConnectionClosed:
                raise AssertionError(f"the server is gone; seen: {self.counts()}") from None

    def take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            if message[0] == 1:  # message data: number of the channel, log time, payload
                number, when = struct.unpack_from("<IQ", message, 1)
                topic = self.topics[number]["topic"]
                self.seen.setdefault(topic, []).append((when, message[13:]))
            elif message[0] == 2:
                self.times.append(struct.unpack_from("<Q", message, 1)[0])
            return
        told = json.loads(message)
        self.told.setdefault(told["op"], []).append(told)
        if told["op"] == "advertise":
            self.topics |= {channel["id"]: channel for channel in told["channels"]}
            wanted = [{"id": c["id"], "channelId": c["id"]} for c in told["channels"]]
            self.send({"op": "subscribe", "subscriptions": wanted})

    def send(self, what: dict[str, Any] | bytes) -> None:
        self._socket.send(what if isinstance(what, bytes) else json.dumps(what))

    def counts(self) -> Counter[str]:
        return Counter({topic: len(messages) for topic, messages in self.seen.items()})


@pytest.fixture
def connect() -> Iterator[Callable[[str], Viewer]]:
    """Connects to a URL as a viewer."""
    sockets = []

    def connected(url: str) -> Viewer:
        options = {"subprotocols": ["foxglove.sdk.v1"], "max_size": None, "close_timeout": 0.1}
        sockets.append(client(url, **options))
        return Viewer(sockets[-1].__enter__())

    yield connected
    for socket in sockets:
        socket.__exit__(None, None, None)


@pytest.fixture
def server() -> Iterator[Server]:
    """On a free port; not started."""
    made = Server("test", Address(port=0))
    yield made
    made.close()


@pytest.fixture
def read() -> Callable[[Any, bytes], Any]:
    """Reads the bytes of a message of Foxglove's, given the kind of message."""
    pytest.importorskip("google.protobuf")
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    def read(kind: Any, data: bytes) -> Any:
        schema = kind.get_schema()
        pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(schema.data).file:
            pool.Add(file)
        made = message_factory.GetMessageClass(pool.FindMessageTypeByName(schema.name))
        return made.FromString(data)

    return read
