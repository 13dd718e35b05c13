"""A recording on a server: played by a viewer's wishes, over the real socket."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("foxglove")
from ros_mbmrl.data.recording import Raw
from ros_mbmrl.view.picture import Picture
from ros_mbmrl.view.playback import NANO, Playback
from ros_mbmrl.view.player import Player
from ros_mbmrl.view.server import Server

SECONDS = 20


def messages() -> Iterator[Raw]:
    """A text every tenth of a second, for 20 s."""
    for k in range(10 * SECONDS + 1):
        text = f"{k:03}".encode()
        data = b"\x00\x01\x00\x00" + struct.pack("<I", len(text) + 1) + text + b"\0"
        yield Raw("/words", "std_msgs/msg/String", b"string data\n", NANO + k * NANO // 10, data)


@pytest.fixture
def player(server: Server) -> Player:
    playback = Playback(NANO, (1 + SECONDS) * NANO, time.monotonic)
    return Player(server, Picture("hexapod", "hexapod"), playback, messages, {})


@pytest.fixture
def playing(player: Player) -> Iterator[threading.Event]:
    """The player in a thread of its own, until the test ends."""
    stopped = threading.Event()
    player.start()
    thread = threading.Thread(target=player.run, args=(stopped,))
    thread.start()
    yield stopped
    stopped.set()
    thread.join()


def test_viewers_are_told_the_span_and_the_time(
    server: Server, playing: threading.Event, connect: Callable[[str], Any]
) -> None:
    viewer = connect(server.address.url)
    viewer.until(lambda: len(viewer.seen.get("/words", ())) > 3)
    (info,) = viewer.told["serverInfo"]
    assert set(info["capabilities"]) == {"time", "playbackControl"}
    assert (info["dataStartTime"]["sec"], info["dataEndTime"]["sec"]) == (1, 1 + SECONDS)
    times = [when for when, _ in viewer.seen["/words"]]
    assert times == sorted(times)
    assert set(times) <= {each.log_time_ns for each in messages()}
    assert "/view/robot" in viewer.seen


def request(play: bool, seek: int | None = None, speed: float = 1.0) -> bytes:
    """A wish of a viewer: opcode 3, command, speed, whether to jump, where to, an identifier."""
    command = 0 if play else 1
    jump = 0 if seek is None else 1
    return struct.pack("<BBfBQI", 3, command, speed, jump, seek or 0, 1) + b"x"


def test_a_viewer_jumps(
    server: Server, playing: threading.Event, connect: Callable[[str], Any]
) -> None:
    viewer = connect(server.address.url)
    viewer.until(lambda: "/words" in viewer.seen)
    viewer.send(request(play=True, seek=18 * NANO))
    viewer.until(lambda: any(when > 18 * NANO for when, _ in viewer.seen["/words"]))
    texts = [int(data[8:11]) for _, data in viewer.seen["/words"]]
    first = next(k for k, each in enumerate(texts) if each > 100)
    assert 168 <= texts[first] <= 171  # what was known by then, or the first one from there on


def test_a_viewer_pauses_and_goes_on(
    server: Server, playing: threading.Event, connect: Callable[[str], Any]
) -> None:
    viewer = connect(server.address.url)
    viewer.until(lambda: "/words" in viewer.seen)
    viewer.send(request(play=False, seek=5 * NANO))
    viewer.until(lambda: viewer.times.count(5 * NANO) > 1)
    count = len(viewer.seen["/words"])
    viewer.until(lambda: viewer.times.count(5 * NANO) > 5)
    assert viewer.times[-4:] == [5 * NANO] * 4
    assert len(viewer.seen["/words"]) == count
    viewer.send(request(play=True, speed=20.0))
    viewer.until(lambda: viewer.seen["/words"][-1][0] > 6 * NANO)


def test_once_ends_with_the_recording(server: Server, player: Player) -> None:
    player._playback.change(speed=1000.0)
    player.start()
    assert player.run(threading.Event(), once=True) == 1
    assert player.messages == 10 * SECONDS + 1
