"""Files made to run code, to fill the memory or to hang: one line each, and nothing happens."""

from __future__ import annotations

import json
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import zstandard
from mcap.writer import CompressionType, Writer

from ros_mbmrl import untrusted
from ros_mbmrl.errors import UserError

MUCH = 1 << 40  # what is claimed [bytes]
PEAK = 200 << 20  # what may be taken up [bytes]
YAML = ("card", "data set", "recipe", "calibration", "parameters")


class Bomb:
    """Unpickling it leaves a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("it-ran"),)


def zipped(members: Mapping[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", how) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def array(value: Any) -> bytes:
    stream = BytesIO()
    np.save(stream, value, allow_pickle=True)
    return stream.getvalue()


def pickles() -> dict[str, bytes]:
    torch_file = BytesIO()
    torch.save(Bomb(), torch_file)
    names = ("states", "samples", "steps", "length", "columns")
    return {
        "pickle": pickle.dumps(Bomb()),
        "torch": torch_file.getvalue(),
        "object array": array(np.array([Bomb()], dtype=object)),
        "object arrays": zipped({f"{n}.npy": array(np.array([Bomb()], object)) for n in names}),
        "pickles in a zip": zipped({f"{name}.npy": pickle.dumps(Bomb()) for name in names}),
    }


TAGS = {
    "apply": "!!python/object/apply:pathlib.Path.touch [it-ran]\n",
    "new": "robot: !!python/object/new:os.system ['touch it-ran']\n",
    "name": "hidden: !!python/name:os.system\n",
    "module": "batch: !!python/module:os\n",
    "tuple": "hidden: !!python/tuple [1, 2]\n",
    "unknown": "robot: !leg left\n",
}


def refused(load: Callable[[Path], Any], path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 1000
    return message


@pytest.mark.parametrize("kind", pickles())
def test_nothing_is_unpickled(
    loader: Any, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = loader.make(tmp_path)
    path.write_bytes(pickles()[kind])
    if path.suffix == ".jsonl":  # what is no row is passed over
        assert loader.load(path) == {}
    else:
        refused(loader.load, path)
    assert not (tmp_path / "it-ran").exists()


def test_the_bomb_would_go_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Bomb()))
    assert (tmp_path / "it-ran").exists()


@pytest.mark.parametrize("name", YAML)
@pytest.mark.parametrize("kind", TAGS)
def test_tags_of_yaml_are_refused(
    loaders: Any, name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = loaders[name].make(tmp_path)
    path.write_text(TAGS[kind])
    assert "could not determine a constructor" in refused(loaders[name].load, path)
    assert not (tmp_path / "it-ran").exists()


BILLION_WORDS = "a0: &a0 [ha, ha, ha]\n" + "".join(
    f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]\n" for k in range(1, 30)
)
YAML_BOMBS = {
    "aliases": BILLION_WORDS + "robot: *a29\nhidden: *a29\n",
    "depth": "[" * 100_000,
    "braces": "{a: " * 100_000,
    "sexagesimal": "robot: 1" + ":01" * 100_000,
    "digits": "robot: 1" + "0" * 100_000,
    "exponent": "robot: 1e9999\nclip: -.inf",
    "size": "robot: hexapod\n" * 1_000_000,
    "date": "robot: 2026-99-99\n",
    "boolean": "robot: !!bool leg\n",
    "timestamp": "robot: !!timestamp leg\n",
    "key": "{[a, b]: c}\n",
    "document": "a: 1\n---\nb: 2\n",
}


@pytest.mark.parametrize("name", YAML)
@pytest.mark.parametrize("kind", YAML_BOMBS)
def test_bombs_of_yaml_are_refused(loaders: Any, name: str, kind: str, tmp_path: Path) -> None:
    path = loaders[name].make(tmp_path)
    path.write_text(YAML_BOMBS[kind])
    refused(loaders[name].load, path)


def tensors(head: Any, data: bytes = b"") -> bytes:
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(shape: list[int], end: int) -> dict[str, Any]:
    return {"dtype": "F32", "shape": shape, "data_offsets": [0, end]}


STATE = {"__metadata__": {"state": "{}"}}
TENSOR_BOMBS = {
    "shape": tensors({**STATE, "x": tensor([1 << 38], MUCH)}, b"1234"),
    "overflow": tensors({**STATE, "x": tensor([1 << 62, 4], 0)}),
    "mismatch": tensors({**STATE, "x": tensor([1 << 38], 4)}, b"1234"),
    "head": struct.pack("<Q", MUCH) + b"{",
    "longest head": struct.pack("<Q", (1 << 64) - 1) + b"{}",
    "depth": tensors(b'{"a":' * 100_000),
    "deep state": tensors({"__metadata__": {"state": "[" * 100_000}}),
    "state": tensors({"__metadata__": {"state": "[1]"}}),
    "no state": tensors({"x": tensor([1], 4)}, b"1234"),
}


@pytest.mark.parametrize("name", ["weights", "checkpoint"])
@pytest.mark.parametrize("kind", TENSOR_BOMBS)
def test_heads_of_tensors_are_not_believed(
    loaders: Any, name: str, kind: str, tmp_path: Path
) -> None:
    path = loaders[name].make(tmp_path)
    path.write_bytes(TENSOR_BOMBS[kind])
    bounded(loaders[name].load, path)


def test_a_large_tensor_file_is_not_read(loaders: Any, tmp_path: Path) -> None:
    path = loaders["checkpoint"].make(tmp_path)
    size = 1 << 34
    head = tensors({**STATE, "x": tensor([size // 4], size)})
    with path.open("wb") as stream:  # a hole: it takes up no room on the disk
        stream.write(head)
        stream.truncate(len(head) + size)
    assert "expected up to 1073741824 bytes" in bounded(loaders["checkpoint"].load, path)


def claiming(shape: tuple[int, ...], kind: str = "<f4") -> bytes:
    """The head of an array of that shape, and nothing of it."""
    stream = BytesIO()
    head = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, head)
    return stream.getvalue()


NAMES = ("states", "actions", "times", "marks", "steps", "samples", "length", "columns")


def named(data: bytes) -> dict[str, bytes]:
    return {f"{name}.npy": data for name in NAMES}


NPZ_BOMBS = {
    "shape": zipped(named(claiming((1 << 40,)))),
    "product": zipped(named(claiming((1 << 20, 1 << 20, 1 << 20)))),
    "text": zipped(named(claiming((2,), "<U2000000000"))),
    "negative": zipped(named(claiming((-2, -2)) + bytes(16))),
    "cut": zipped(named(claiming((4,))))[:-40],
    "no array": zipped(named(b"leg")),
    "no shape": zipped(named(array(np.float32(1.0)))),
    "texts": zipped(named(array(np.array(["leg", "arm"])))),
    "complex": zipped(named(array(np.ones((2, 2), dtype=complex)))),
}


@pytest.mark.parametrize("name", ["arrays", "logs"])
@pytest.mark.parametrize("kind", NPZ_BOMBS)
def test_heads_of_arrays_are_not_believed(
    loaders: Any, name: str, kind: str, tmp_path: Path
) -> None:
    path = loaders[name].make(tmp_path)
    path.write_bytes(NPZ_BOMBS[kind])
    bounded(loaders[name].load, path)


@pytest.mark.parametrize("name", ["arrays", "logs"])
def test_zeros_are_not_unpacked(
    loaders: Any, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(untrusted, "ARRAYS_LIMIT", 1 << 20)
    path = loaders[name].make(tmp_path)
    members = named(array(np.zeros((1 << 18, 2), dtype=np.float32)))
    path.write_bytes(zipped(members, zipfile.ZIP_DEFLATED))
    assert path.stat().st_size < 1 << 16
    assert "unpacked, expected up to 1048576" in bounded(loaders[name].load, path)


@pytest.mark.parametrize("steps", [[-5, 15], [1 << 62, -(1 << 62) + 10], [1 << 62] * 4 + [10]])
def test_lengths_of_runs_are_not_believed(loaders: Any, tmp_path: Path, steps: list[int]) -> None:
    path = loaders["arrays"].make(tmp_path)
    stored = dict(np.load(path))
    np.savez(path, **{**stored, "steps": np.array(steps)})
    bounded(loaders["arrays"].load, path)


def chunk(data: bytes, size: int, compression: bytes = b"zstd", length: int | None = None) -> bytes:
    """An MCAP file with one chunk that says it unpacks to `size` bytes."""
    head = struct.pack("<QQQI", 0, 0, size, 0)
    body = head + struct.pack("<I", len(compression)) + compression
    body += struct.pack("<Q", len(data)) + data
    whole = struct.pack("<BQ", 6, len(body) if length is None else length) + body
    return b"\x89MCAP0\r\n" + whole


def zeros(size: int) -> bytes:
    compressor = zstandard.ZstdCompressor().compressobj(size=size)
    parts = [compressor.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    return b"".join([*parts, compressor.flush()])


def with_schema(text: str, message: bytes) -> bytes:
    """A recording whose own definition of its types is `text`."""
    stream = BytesIO()
    writer: Any = Writer(stream, compression=CompressionType.NONE)
    writer.start(profile="ros2")
    for name, kind in (
        ("/hexapod/odom", "nav_msgs/msg/Odometry"),
        ("/hexapod/command/safe", "a/B"),
    ):
        schema = writer.register_schema(kind, "ros2msg", text.encode())
        channel = writer.register_channel(name, "cdr", schema)
        writer.add_message(channel, 0, b"\0\1\0\0" + message, 0)
    writer.finish()
    return stream.getvalue()


FRAME_OF_MUCH = struct.pack("<IBQ", 0xFD2FB528, 0xE0, MUCH) + b"\1\0\0"
RECORDING_BOMBS = {
    "claim": lambda: chunk(FRAME_OF_MUCH, MUCH),
    "claim of the frame alone": lambda: chunk(FRAME_OF_MUCH, 10),
    "zeros": lambda: chunk(zeros(1 << 27), 1 << 27),
    "lz4": lambda: chunk(b"\x04\x22\x4d\x18" + bytes(20), MUCH, b"lz4"),
    "unknown": lambda: chunk(b"leg", 3, b"leg"),
    "past the end": lambda: chunk(b"leg", 3, b"", length=(1 << 64) - 1),
    "empty arrays": lambda: with_schema(
        "Leg[4000000000] legs\n===\nMSG: a/Leg\nuint8[0] x", bytes(64)
    ),
    "large arrays": lambda: with_schema("float64[4000000000] legs", bytes(64)),
    "claimed arrays": lambda: with_schema("float64[] legs", b"\xff" * 64),
    "claimed messages": lambda: with_schema("Leg[] legs\n===\nMSG: a/Leg\nuint8 x", b"\xff" * 64),
    "claimed texts": lambda: with_schema("string[] legs", b"\xff" * 64),
    "itself": lambda: with_schema("B x\n===\nMSG: a/B\nB x\n===\nMSG: nav_msgs/B\nB x", bytes(64)),
    "no type": lambda: with_schema("leg leg leg leg", bytes(64)),
    "long type": lambda: with_schema("uint8 x\n" * 100_000, bytes(64)),
    "long message": lambda: with_schema("uint8[] x", struct.pack("<I", 1 << 23) + bytes(1 << 23)),
    "nothing": lambda: b"\x89MCAP0\r\n",
    "nonsense": lambda: b"\x89MCAP0\r\n" + bytes(range(256)) * 8,
}


@pytest.mark.parametrize("kind", RECORDING_BOMBS)
def test_claims_of_recordings_are_not_believed(loaders: Any, kind: str, tmp_path: Path) -> None:
    path = loaders["recording"].make(tmp_path)
    path.write_bytes(RECORDING_BOMBS[kind]())
    bounded(loaders["recording"].load, path)


def bounded(load: Callable[[Path], Any], path: Path) -> str:
    """Refused, in one line, before it took up much memory."""
    tracemalloc.start()
    try:
        message = refused(load, path)
        assert tracemalloc.get_traced_memory()[1] < PEAK
    finally:
        tracemalloc.stop()
    return message
