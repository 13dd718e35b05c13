"""Expected bytes are written out by hand from the frame's format."""

import pytest

from ros_mbmrl.plants.wire import xbee
from ros_mbmrl.plants.wire.xbee import (
    AtCommand,
    AtResponse,
    Frame,
    ModemStatus,
    Other,
    Received,
    Transmit,
    TransmitStatus,
)
from ros_mbmrl.plants.wire.xbee_decoder import Decoder

EXPECTED = [
    (Transmit(0x0001, b"\x00\x81"), "7e 00 07 01 00 00 01 00 00 81 7c"),
    (Transmit(0x1234, b"\x41", frame_id=5, options=1), "7e 00 06 01 05 12 34 01 41 71"),
    (AtCommand(b"NJ", frame_id=0x52), "7e 00 04 08 52 4e 4a 0d"),  # the manufacturer's example
    (AtCommand(b"MY", b"\x00\x02"), "7e 00 06 08 01 4d 59 00 02 4e"),
    (Received(0x0001, b"\x00\x8e\x41", rssi=0x28), "7e 00 08 81 00 01 28 00 00 8e 41 86"),
    (AtResponse(b"BD", 0, b"\x06"), "7e 00 06 88 01 42 44 00 06 ea"),
    (TransmitStatus(1, 0), "7e 00 03 89 01 00 75"),
    (ModemStatus(0), "7e 00 02 8a 00 75"),
    (
        Other(bytes.fromhex("80 0013a200 40a1b2c3 28 00 41")),
        "7e 00 0c 80 00 13 a2 00 40 a1 b2 c3 28 00 41 0b",
    ),
]


def kinds(frame: Frame) -> xbee.Kinds:
    return xbee.TO_RADIO if isinstance(frame, (Transmit, AtCommand)) else xbee.TO_HOST


@pytest.mark.parametrize(("frame", "expected"), EXPECTED)
def test_bytes_are_those_of_the_format(frame: Frame, expected: str) -> None:
    data = bytes.fromhex(expected)
    assert frame.encode() == data
    assert Decoder(kinds(frame)).feed(data) == [frame]


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Transmit(0x10000, b"a").encode(), "destination: expected 16 bits, got 65536"),
        (lambda: Transmit(1, bytes(130)).encode(), "expected 1 to 134 bytes, got 135"),
        (lambda: AtCommand(b"BAUD").encode(), "expected 2 letters"),
        (lambda: TransmitStatus(-1, 0).encode(), "frame_id: expected 8 bits, got -1"),
    ],
)
def test_what_does_not_fit_is_refused(make: object, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        make()  # type: ignore[operator]
