"""The server over its real socket: what is sent arrives as it was, and nobody is waited for."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import psutil
import pytest

pytest.importorskip("foxglove")
from foxglove.messages import FrameTransforms, SceneUpdate

from ros_mbmrl.errors import UserError
from ros_mbmrl.simulation.frames import Transform
from ros_mbmrl.view.address import Address
from ros_mbmrl.view.server import Server
from ros_mbmrl.view.things import ROBOT, TRANSFORMS, Entity, Shown

TEXT = "std_msgs/msg/String"
SCHEMA = b"string data\n"
Connect = Callable[[str], Any]


def test_messages_arrive_as_they_were_sent(server: Server, connect: Connect) -> None:
    server.advertise("/words", TEXT, SCHEMA)
    server.start()
    viewer = connect(server.address.url)
    viewer.until(lambda: any(c["topic"] == "/words" for c in viewer.topics.values()))
    sent = [bytes([0, 1, 0, 0, k]) for k in range(50)]

    def forward() -> bool:  # until the subscription has come
        for k, data in enumerate(sent):
            server.forward("/words", TEXT, SCHEMA, data, 7 + k, latched=False)
        return "/words" in viewer.seen

    viewer.until(forward)
    viewer.until(lambda: viewer.seen["/words"][-1][0] == 56)
    assert viewer.seen["/words"][-50:] == [(7 + k, data) for k, data in enumerate(sent)]
    (channel,) = (c for c in viewer.topics.values() if c["topic"] == "/words")
    assert (channel["schemaName"], channel["schema"]) == (TEXT, SCHEMA.decode())
    assert (channel["encoding"], channel["schemaEncoding"]) == ("cdr", "ros2msg")


def test_who_comes_later_gets_what_is_latched_until_it_is_forgotten(
    server: Server, connect: Connect
) -> None:
    server.start()
    for data in (b"old", b"new"):
        server.forward("/latched", TEXT, SCHEMA, data, 1, latched=True)
    server.forward("/other", TEXT, SCHEMA, b"gone", 1, latched=False)
    viewer = connect(server.address.url)
    viewer.until(lambda: "/latched" in viewer.seen)
    assert {data for _, data in viewer.seen["/latched"]} == {b"new"}
    assert "/other" not in viewer.seen
    server.forget()
    late = connect(server.address.url)

    def shown() -> bool:
        server.forward("/other", TEXT, SCHEMA, b"now", 2, latched=False)
        return "/other" in late.seen

    late.until(shown)
    assert "/latched" not in late.seen


def test_what_is_shown_has_foxgloves_types(server: Server, connect: Connect, read: Any) -> None:
    server.start()
    viewer = connect(server.address.url)
    there = Transform("map", "odom", (1.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0))

    def show() -> bool:
        server.show(Shown(ROBOT, (Entity("leg", "base_link"),)), 3)
        server.show(Shown(TRANSFORMS, (there,)), 3)
        server.show(Shown("/view/driver/timing", {"period_s": 0.1, "extra": "x"}), 3)
        server.show(Shown("/view/else/where", {"what": True}), 3)
        return {ROBOT, TRANSFORMS, "/view/driver/timing"} <= set(viewer.seen)

    viewer.until(show)
    assert read(SceneUpdate, viewer.seen[ROBOT][0][1]).entities[0].id == "leg"
    assert read(FrameTransforms, viewer.seen[TRANSFORMS][0][1]).transforms[0].translation.x == 1.0
    figures = json.loads(viewer.seen["/view/driver/timing"][0][1])
    assert figures == {"period_s": 0.1, "extra": "x"}
    kinds = {c["topic"]: c for c in viewer.topics.values()}
    schema = json.loads(kinds["/view/driver/timing"]["schema"])
    assert schema["properties"]["missed_deadlines"] == {"type": "number"}
    assert json.loads(kinds["/view/else/where"]["schema"])["properties"]["what"] == {
        "type": "boolean"
    }


def test_it_listens_on_loopback_alone_and_takes_nothing(server: Server, connect: Connect) -> None:
    server.start()
    viewer = connect(server.address.url)
    viewer.until(lambda: "serverInfo" in viewer.told)
    assert viewer.told["serverInfo"][0]["capabilities"] == []  # no publishing, parameters, services
    sockets = psutil.Process().net_connections("tcp")
    port = server.address.port
    assert {each.laddr.ip for each in sockets if each.laddr.port == port} == {"127.0.0.1"}


def test_a_taken_port_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"127.0.0.1:{port} is taken.*another port"):
            Server("x", Address(port=port)).start()


def test_a_host_that_is_none_is_one_line() -> None:
    with pytest.raises(UserError, match=r"view: cannot listen at no.such.host.invalid:0 \("):
        Server("x", Address("no.such.host.invalid", 0)).start()


def test_a_viewer_that_does_not_read_holds_nobody_up(server: Server, connect: Connect) -> None:
    """30 MB are more than the buffers on the way hold; were it waited for, this would not end."""
    server.start()
    reading, silent = connect(server.address.url), connect(server.address.url)

    def forward(number: int = 0) -> bool:
        server.forward("/large", TEXT, SCHEMA, bytes(100_000), number, latched=False)
        return "/large" in reading.seen

    reading.until(forward)
    silent.until(lambda: "/large" in silent.seen or (forward() and False))
    for number in range(1, 301):
        forward(number)
    reading.until(lambda: reading.seen["/large"][-1][0] == 300)


def test_the_link_opens_this_server(server: Server) -> None:
    server.start()
    assert server.link().startswith("https://app.foxglove.dev")
    assert str(server.address.port) in server.link()
