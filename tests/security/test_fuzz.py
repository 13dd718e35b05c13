"""Random bytes, and valid files with damage, into every loader: it loads, or says what is wrong.

Bounded by the number of examples and by memory, not by time: a loop without end would be ended by
pytest's own limit. Damage to the arrays and the recording is what their checksums let through.
"""

from __future__ import annotations

import os
import random
import struct
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap.stream_reader import StreamReader, get_chunk_data_stream

from ros_mbmrl.commands.collect import _hardware
from ros_mbmrl.errors import UserError

PEAK = 200 << 20  # [bytes]
FEW = settings(
    max_examples=int(os.environ.get("MBMRL_FUZZ", "25")),  # more: by hand
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
WORDS = (
    *(b"null", b"[]", b"{}", b"-1", b"1e400", b"nan", b".inf", b"'", b'"', b"\0", b"\n", b": "),
    *(b"!!binary aa", b"&a ", b"*a", b"<<: ", b"999999999999999999999", b"[[[[", b"true", b"\xff"),
)


def damaged(data: bytes, generator: random.Random) -> bytes:
    """A few bytes changed, cut out, put in or said twice."""
    spoiled = bytearray(data)
    for _ in range(generator.randrange(1, 6)):
        where = generator.randrange(len(spoiled) + 1)
        until = where + generator.randrange(1, 40)
        what = generator.randrange(5)
        if what == 0:
            spoiled[where:until] = b""
        elif what == 1:
            spoiled[where:where] = generator.choice(WORDS)
        elif what == 2:
            spoiled[where : where + 8] = generator.randbytes(8)
        elif what == 3:
            spoiled[where:where] = spoiled[where:until]
        elif where < len(spoiled):
            spoiled[where] ^= 1 << generator.randrange(8)
    return bytes(spoiled)


def told_or_loaded(load: Callable[[Path], Any], path: Path) -> None:
    said = ""
    tracemalloc.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # wild numbers overflow
            load(path)
    except UserError as error:
        said = str(error)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < PEAK and "\n" not in said


def test_random_bytes(loader: Any, tmp_path: Path) -> None:
    path = loader.make(tmp_path)
    start = path.read_bytes()[:8]

    @FEW
    @given(st.binary(max_size=200), st.booleans())
    def attack(data: bytes, begun: bool) -> None:
        path.write_bytes(start + data if begun else data)
        told_or_loaded(loader.load, path)

    attack()


def test_damaged_files(loader: Any, tmp_path: Path) -> None:
    path = loader.make(tmp_path)
    valid = path.read_bytes()
    loader.load(path)

    @FEW
    @given(st.integers(0, 1 << 32))
    def attack(seed: int) -> None:
        loader.make(tmp_path)
        path.write_bytes(damaged(valid, random.Random(seed)))
        told_or_loaded(loader.load, path)

    attack()


@pytest.mark.parametrize("kind", ["values", "records"])
def test_damage_with_a_checksum_that_fits(
    loaders: Any, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checksums keep damage out, not people: with one that always fits it gets further in."""
    path = loaders["recording"].make(tmp_path)
    valid = unpacked(path.read_bytes(), tmp_path)

    @FEW
    @given(st.integers(0, 1 << 32))
    def attack(seed: int) -> None:
        path.write_bytes(repacked(valid, random.Random(seed), kind))
        told_or_loaded(loaders["recording"].load, path)

    attack()


def unpacked(data: bytes, folder: Path) -> bytes:
    """The records of a recording's chunks, one behind the other."""
    (folder / "copy").write_bytes(data)
    with (folder / "copy").open("rb") as stream:
        chunks = [
            get_chunk_data_stream(record)
            for record in StreamReader(stream, emit_chunks=True).records
            if type(record).__name__ == "Chunk"
        ]
    return b"".join(each.read(length) for each, length in chunks)


def repacked(data: bytes, generator: random.Random, kind: str) -> bytes:
    """A recording of one chunk, its records damaged: anywhere, or in single bytes."""
    if kind == "records":
        spoiled = damaged(data, generator)
    else:
        changed = bytearray(data)
        for _ in range(40):
            changed[generator.randrange(len(data))] = generator.choice((0, 1, 0x7F, 0x80, 0xFF))
        spoiled = bytes(changed)
    head = struct.pack("<QQQI", 0, 0, len(spoiled), zlib.crc32(spoiled))
    body = head + struct.pack("<I", 0) + struct.pack("<Q", len(spoiled)) + spoiled
    return b"\x89MCAP0\r\n" + struct.pack("<BQ", 6, len(body)) + body


@FEW
@given(word=st.sampled_from(["gain", "a.b", "=", ""]), value=st.text(max_size=40))
def test_settings_of_the_hardware(word: str, value: str) -> None:
    with suppress(UserError):
        _hardware([f"{word}={value}"])
