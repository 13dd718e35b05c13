"""Frames of an XBee 802.15.4 radio in API mode 1 (unescaped), as bytes and back. No I/O.

A frame is `7E | length (2, big-endian) | body | FF - sum(body)`; the first byte of a body is its
kind.
Source: Digi, XBee/XBee-PRO RF Modules (802.15.4), "API operation".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

START = 0x7E
LONGEST = 134  # body [bytes]: 5 of an RX16's head, 2 of a packet's, 127 of the longest version text


@dataclass(frozen=True)
class Transmit:
    """Host to radio: send `data` to the 16-bit address `destination` (TX16, 0x01).

    frame_id: 0 asks for no status.
    """

    destination: int
    data: bytes
    frame_id: int = 0
    options: int = 0

    def encode(self) -> bytes:
        """Return the frame. Raises ValueError."""
        _check(destination=(self.destination, 16), options=(self.options, 8))
        _check(frame_id=(self.frame_id, 8))
        return frame(
            struct.pack(">BBHB", 0x01, self.frame_id, self.destination, self.options) + self.data
        )


@dataclass(frozen=True)
class Received:
    """Radio to host: `data` came from the address `source` at -rssi dBm (RX16, 0x81)."""

    source: int
    data: bytes
    rssi: int = 0
    options: int = 0

    def encode(self) -> bytes:
        """Return the frame. Raises ValueError."""
        _check(source=(self.source, 16), rssi=(self.rssi, 8), options=(self.options, 8))
        return frame(struct.pack(">BHBB", 0x81, self.source, self.rssi, self.options) + self.data)


@dataclass(frozen=True)
class AtCommand:
    """Host to radio: read or set a register of the radio, by its two letters (0x08)."""

    command: bytes
    value: bytes = b""
    frame_id: int = 1

    def encode(self) -> bytes:
        """Return the frame. Raises ValueError."""
        _check(frame_id=(self.frame_id, 8))
        return frame(bytes([0x08, self.frame_id]) + _letters(self.command) + self.value)


@dataclass(frozen=True)
class AtResponse:
    """Radio to host: value of a register, or result of setting it; status 0 is success (0x88)."""

    command: bytes
    status: int
    value: bytes = b""
    frame_id: int = 1

    def encode(self) -> bytes:
        """Return the frame. Raises ValueError."""
        _check(frame_id=(self.frame_id, 8), status=(self.status, 8))
        head = bytes([0x88, self.frame_id]) + _letters(self.command) + bytes([self.status])
        return frame(head + self.value)


@dataclass(frozen=True)
class TransmitStatus:
    """Radio to host: result of sending the frame `frame_id`; status 0 is success (0x89)."""

    frame_id: int
    status: int

    def encode(self) -> bytes:
        """Return the frame. Raises ValueError."""
        _check(frame_id=(self.frame_id, 8), status=(self.status, 8))
        return frame(bytes([0x89, self.frame_id, self.status]))


@dataclass(frozen=True)
class ModemStatus:
    """Radio to host: an event in the radio (0x8A)."""

    status: int

    def encode(self) -> bytes:
        """Return the frame. Raises ValueError."""
        _check(status=(self.status, 8))
        return frame(bytes([0x8A, self.status]))

    @property
    def restarted(self) -> bool:
        """Return whether the radio has restarted: by supply, reset pin, or its own watchdog."""
        return self.status in (0, 1)


@dataclass(frozen=True)
class Other:
    """A valid frame that only a radio with other settings sends. body: with its first byte."""

    body: bytes

    def encode(self) -> bytes:
        """Return the frame. Raises ValueError."""
        return frame(self.body)


Frame = Transmit | Received | AtCommand | AtResponse | TransmitStatus | ModemStatus | Other


def frame(body: bytes) -> bytes:
    """Wrap a body of 1 to LONGEST bytes in head and check-sum. Raises ValueError."""
    if not 1 <= len(body) <= LONGEST:
        raise ValueError(f"body: expected 1 to {LONGEST} bytes, got {len(body)}")
    return struct.pack(">BH", START, len(body)) + body + bytes([check_sum(body)])


def check_sum(body: bytes) -> int:
    """Return the check-sum, which is the last byte of a frame."""
    return 0xFF - (sum(body) & 0xFF)


@dataclass(frozen=True)
class _Kind:
    """Lengths of a body [bytes], and the function that reads it as a frame."""

    shortest: int
    longest: int
    read: Callable[[bytes], Frame]


Kinds = Mapping[int, _Kind]

_FAMILY = "another family of XBee sends it: expected an 802.15.4 radio, its frames 0x81"
# Kinds that a radio with other settings sends: the shortest body, and the advice to give.
OTHERS: Mapping[int, tuple[int, str]] = MappingProxyType(
    {
        0x01: (5, "what we sent comes back: expected no echo on the line"),
        0x08: (4, "what we sent comes back: expected no echo on the line"),
        0x80: (
            11,
            "a 64-bit source: expected a 16-bit address, MY of the robot's radio below fffe",
        ),
        0x82: (11, "input samples from a 64-bit source: expected IR=0 on the robot's radio"),
        0x83: (5, "input samples: expected IR=0 on the robot's radio"),
        0x8B: (7, _FAMILY),
        0x90: (12, _FAMILY),
        0x91: (18, _FAMILY),
        0x92: (16, _FAMILY),
        0x95: (16, _FAMILY),
        0x97: (15, "an answer to somebody's remote command: expected nobody else at the radio"),
    }
)

# Kinds that the host, and the radio, may receive.
TO_HOST: Kinds = MappingProxyType(
    {
        **{kind: _Kind(least, LONGEST, Other) for kind, (least, _) in OTHERS.items()},
        0x81: _Kind(6, LONGEST, lambda b: Received(_word(b, 1), b[5:], b[3], b[4])),
        0x88: _Kind(5, LONGEST, lambda b: AtResponse(b[2:4], b[4], b[5:], b[1])),
        0x89: _Kind(3, 3, lambda b: TransmitStatus(b[1], b[2])),
        0x8A: _Kind(2, 2, lambda b: ModemStatus(b[1])),
    }
)
TO_RADIO: Kinds = MappingProxyType(
    {
        0x01: _Kind(6, LONGEST, lambda b: Transmit(_word(b, 2), b[5:], b[1], b[4])),
        0x08: _Kind(4, LONGEST, lambda b: AtCommand(b[2:4], b[4:], b[1])),
    }
)


def _word(body: bytes, place: int) -> int:
    return body[place] << 8 | body[place + 1]


def _letters(command: bytes) -> bytes:
    if len(command) != 2:
        raise ValueError(f"command: expected 2 letters, got {command!r}")
    return command


def _check(**values: tuple[int, int]) -> None:
    for name, (value, bits) in values.items():
        if not 0 <= value < 1 << bits:
            raise ValueError(f"{name}: expected {bits} bits, got {value}")
