"""Radios that are set up otherwise than expected, and what is said of them."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from ros_mbmrl.plants.wire import velociroach as v
from ros_mbmrl.plants.wire import xbee
from ros_mbmrl.plants.wire.link import RadioLink

FAR = 0x0013A20040A1B2C3


class Line:
    """Answers every write; pieces: of at most so many bytes it is read."""

    name = "test"

    def __init__(self, answer: Callable[[int], bytes], pieces: int = 1000) -> None:
        self._answer, self._pieces = answer, pieces
        self._out, self._count = b"", 0
        self.now = 0.0

    def open(self) -> None: ...

    def close(self) -> None: ...

    def write(self, data: bytes) -> None:
        self._out += self._answer(self._count)
        self._count += 1

    def read(self, wait: bool = True) -> bytes:
        self.now += 0.001
        data, self._out = self._out[: self._pieces], self._out[self._pieces :]
        return data


def reply(k: int) -> bytes:
    return v.packet(v.GET_AMS_POS, struct.pack("<ii", 7919 * k % 60000, 104729 * k % 60000))


def good(k: int) -> bytes:
    return xbee.Received(1, reply(k), 40).encode()


def escaped(k: int) -> bytes:
    special = (0x7E, 0x7D, 0x11, 0x13)
    frame = good(k)
    parts = (bytes([0x7D, b ^ 0x20]) if b in special else bytes([b]) for b in frame[1:])
    return frame[:1] + b"".join(parts)


def kind(first: int, *head: int) -> Callable[[int], bytes]:
    """Frames of another kind, the reply at their end."""
    return lambda k: xbee.frame(bytes([first, *head]) + reply(k))


def asked(
    answer: Callable[[int], bytes], times: int = 200, pieces: int = 1000
) -> tuple[int, RadioLink]:
    """How many of so many questions were answered."""
    line = Line(answer, pieces)
    link = RadioLink(line, 1, lambda: line.now, 0.2)
    link.open()
    heard = [link.ask([b"\0\1"], lambda _: True, line.now + 0.1, 0.04) for _ in range(times)]
    return sum(each is not None for each in heard), link


SOURCE = struct.pack(">Q", FAR)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (kind(0x80, *SOURCE, 40, 0), "kind 0x80: a 64-bit source: expected a 16-bit address"),
        (kind(0x82, *SOURCE, 40, 0), "kind 0x82: input samples from a 64-bit source"),
        (kind(0x83, 0, 1, 40, 0), "kind 0x83: input samples: expected IR=0"),
        (kind(0x90, *SOURCE, 0, 1, 1), "kind 0x90: another family of XBee sends it"),
        (kind(0x91, *SOURCE, 0, 1, 1, 2, 3, 4, 5, 6, 1), "kind 0x91: another family of XBee"),
        (kind(0x01, 0, 0, 1, 0), "kind 0x01: what we sent comes back: expected no echo"),
        (reply, "answers without frames: it is set up with AP=0, expected AP=1"),
        (lambda k: bytes(range(32)), "bytes, no valid frame: wrong baud rate?"),
        (lambda k: b"", "radio silent: no answer"),
        (lambda k: xbee.Received(7, reply(k)).encode(), "robot 0x0007 answers, expected 0x0001"),
    ],
)
@pytest.mark.parametrize("pieces", [1000, 5])
def test_what_was_heard_and_what_is_expected(
    answer: Callable[[int], bytes], complaint: str, pieces: int
) -> None:
    answers, link = asked(answer, 5, pieces)
    assert answers == 0
    assert complaint in link.complaint()
    assert link.misled is (complaint != "radio silent: no answer")


def test_escapes_are_told_though_others_are_answered() -> None:
    answers, link = asked(escaped)
    assert answers == 200
    assert "it is set up with AP=2, expected AP=1" in link.escaping()
    assert link.escaping() in link.complaint()
    counters = link.counters()
    assert counters["escaped"] == counters["checksum_errors"] == counters["timeouts"] > 10


def test_a_restart_of_the_radio_is_counted_and_told() -> None:
    restart, joined = xbee.ModemStatus(0).encode(), xbee.ModemStatus(2).encode()
    extra = {3: restart, 50: joined}
    answers, link = asked(lambda k: extra.get(k, b"") + good(k))
    assert answers == 200
    assert link.counters()["radio_restarts"] == link.restarts == 1
    assert link.counters()["skipped"] == 0
    assert "the radio has restarted, 1 in all" in link.complaint()


def test_a_radio_set_up_as_expected_gives_no_reason_to_complain() -> None:
    answers, link = asked(good)
    assert answers == 200
    assert link.misconfigured() == link.escaping() == ""
    assert not link.misled
    assert link.counters()["unexpected"] == link.counters()["radio_restarts"] == 0


def test_samples_beside_the_answers_are_counted_and_no_harm() -> None:
    sample = xbee.frame(bytes([0x83, 0, 1, 40, 0, 1, 2, 0, 3]))
    answers, link = asked(lambda k: sample + good(k))
    assert answers == 200
    assert link.counters()["unexpected"] == 200
    assert link.escaping() == ""
