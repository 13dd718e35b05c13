"""Frames found in bytes that are cut, noisy, changed, or of another mode."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_mbmrl.plants.wire import xbee
from ros_mbmrl.plants.wire.xbee import (
    AtResponse,
    Frame,
    ModemStatus,
    Other,
    Received,
    TransmitStatus,
)
from ros_mbmrl.plants.wire.xbee_decoder import Decoder

WORD, BYTE = st.integers(0, 0xFFFF), st.integers(0, 0xFF)
FRAMES = st.one_of(
    st.builds(Received, WORD, st.binary(min_size=1, max_size=129), BYTE, BYTE),
    st.builds(AtResponse, st.binary(min_size=2, max_size=2), BYTE, st.binary(max_size=9), BYTE),
    st.builds(TransmitStatus, BYTE, BYTE),
    st.builds(ModemStatus, BYTE),
    st.builds(
        lambda kind, rest: Other(bytes([kind]) + rest),
        st.sampled_from(sorted(xbee.OTHERS)),
        st.binary(min_size=20, max_size=60),
    ),
)


@given(frames=st.lists(FRAMES, max_size=5), cuts=st.lists(st.integers(1, 40), max_size=40))
def test_frames_come_back_however_the_bytes_are_cut(frames: list[Frame], cuts: list[int]) -> None:
    data, decoder, got, place = b"".join(f.encode() for f in frames), Decoder(), [], 0
    for cut in [*cuts, len(data)]:
        got += decoder.feed(data[place : place + cut])
        place += cut
    assert got == frames
    assert decoder.tally.skipped == decoder.tally.checksum_errors == 0


@given(noise=st.binary(max_size=300), frame=FRAMES)
def test_after_noise_no_frame_is_lost_for_good(noise: bytes, frame: Frame) -> None:
    decoder = Decoder()
    # A false start may wait for as many bytes as the longest frame has, no more.
    patience = xbee.LONGEST // len(frame.encode()) + 2
    got = decoder.feed(noise)
    made_up = len(got)
    got += decoder.feed(frame.encode() * (patience + 1))
    assert got[made_up:].count(frame) >= patience + 1 - 3 * (made_up + 1)
    assert got[-1] == frame
    assert decoder.tally.received == len(noise) + len(frame.encode()) * (patience + 1)


def test_a_half_frame_costs_nothing_but_itself() -> None:
    whole = Received(1, bytes(range(50))).encode()
    for cut in range(1, len(whole)):
        decoder = Decoder()
        assert len(decoder.feed(whole[:cut] + whole)) == 1, cut
        assert decoder.tally.resynchronisations == 1
        assert decoder.tally.skipped == cut


def test_random_noise_is_left_within_the_next_frame() -> None:
    rng = np.random.default_rng(3)
    whole = Received(1, bytes(range(50))).encode()
    for _ in range(2000):
        decoder = Decoder()
        decoder.feed(rng.bytes(200))
        assert len(decoder.feed(whole * 2)) >= 1


def test_a_changed_bit_is_never_accepted() -> None:
    whole = Received(1, b"\x00\x8e7E~").encode()
    for bit in range(8 * len(whole)):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        assert Decoder().feed(bytes(changed)) == []


def stream(size: int, rng: np.random.Generator) -> tuple[bytes, Counter[Frame]]:
    """Random bytes, frames, and frames with some bytes changed; and the frames left whole."""
    parts: list[bytes] = []
    sent: Counter[Frame] = Counter()
    total = 0
    while total < size:
        frame = Received(1, rng.bytes(int(rng.integers(1, 60))), 40)
        data = bytearray(frame.encode())
        choice = rng.random()
        if choice < 0.3:
            data = bytearray(rng.bytes(len(data)))
            data[int(rng.integers(len(data)))] = xbee.START
        elif choice < 0.7:
            for place in rng.integers(len(data), size=int(rng.integers(1, 4))):
                data[place] = int(rng.integers(256))
        if bytes(data) == frame.encode():
            sent[frame] += 1
        parts.append(bytes(data))
        total += len(data)
    return b"".join(parts), sent


def fuzz(size: int, seed: int) -> None:
    data, sent = stream(size, np.random.default_rng(seed))
    decoder, got = Decoder(), Counter[Frame]()
    for place in range(0, len(data), 4096):
        got.update(decoder.feed(data[place : place + 4096]))
    bad, lost = (got - sent).total(), (sent - got).total()
    # An 8-bit sum lets one in 256 wrong frames through, if their bytes are as good as random.
    tried = bad + decoder.tally.checksum_errors
    assert bad <= tried / 256 + 5 * np.sqrt(tried / 256) + 1
    assert tried > size / 500  # there was something to refuse
    assert lost <= 3 * bad  # only what a wrong frame has swallowed
    pending = decoder.tally.received - decoder.tally.skipped
    assert sum(len(f.encode()) * n for f, n in got.items()) <= pending


def test_a_hundred_thousand_bad_bytes() -> None:
    fuzz(100_000, seed=0)


@pytest.mark.slow
def test_ten_million_bad_bytes() -> None:
    fuzz(10_000_000, seed=1)


def in_mode_2(frame: bytes) -> bytes:
    """A frame as API mode 2 sends it."""
    special = (0x7E, 0x7D, 0x11, 0x13)
    parts = (bytes([0x7D, byte ^ 0x20]) if byte in special else bytes([byte]) for byte in frame[1:])
    return frame[:1] + b"".join(parts)


@given(FRAMES)
def test_a_frame_of_mode_2_is_no_frame_and_is_told(frame: Frame) -> None:
    whole = frame.encode()
    decoder = Decoder()
    got = decoder.feed(in_mode_2(whole) + b"~")
    # The escape of a check-sum of 7D begins with 7D: all of the frame is there.
    if in_mode_2(whole).startswith(whole):
        assert (got, decoder.tally.escaped) == ([frame], 0)
    else:
        assert frame not in got
        assert decoder.tally.escaped <= 1


@given(st.binary(min_size=1, max_size=50))
def test_a_frame_of_mode_1_is_never_taken_for_one_of_mode_2(data: bytes) -> None:
    decoder = Decoder()
    assert decoder.feed(Received(1, data).encode()) == [Received(1, data)]
    assert decoder.tally.escaped == 0
