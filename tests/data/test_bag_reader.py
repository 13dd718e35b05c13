"""Bags of others: both storages, both compressions, several files, types of their own, damage."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from mcap.writer import CompressionType, Writer

from ros_mbmrl.data.bag import METADATA
from ros_mbmrl.data.bag_reader import files_of, is_complete, messages_of, parts_of, size_of
from ros_mbmrl.data.recording import read_messages, recording_info
from ros_mbmrl.errors import UserError

Bag = Callable[..., Path]

JOINTS = "sensor_msgs/msg/JointState"
OWN = "farm_msgs/msg/Tractor"
TYPES = {
    OWN: "std_msgs/Header header\nWheel[2] wheels\nfloat32 fuel\nint16[] gears\nstring driver\n"
    + ("=" * 80 + "\nMSG: farm_msgs/Wheel\nfloat64 speed\nfloat64 slip\n")
    + ("=" * 80 + "\nMSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n")
    + ("=" * 80 + "\nMSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n")
}
START = 1_700_000_000 * 10**9


def stamp(time_ns: int) -> dict[str, Any]:
    return {"stamp": {"sec": time_ns // 10**9, "nanosec": time_ns % 10**9}, "frame_id": "map"}


def tractor(k: int) -> dict[str, Any]:
    wheels = [{"speed": 0.5 * k, "slip": 0.1}, {"speed": -0.5 * k, "slip": 0.2}]
    gears = list(range(k % 4))
    header = stamp(START + k * 10**8)
    return {"header": header, "wheels": wheels, "fuel": 0.25, "gears": gears, "driver": "Ada"}


def content(count: int = 20) -> list[tuple[str, str, int, dict[str, Any]]]:
    rows = []
    for k in range(count):
        time = START + k * 10**8
        joints = {"header": stamp(time), "name": ["hip", "knee"], "position": [0.1 * k, -0.1 * k]}
        rows.append(("/joint_states", JOINTS, time, joints))
        rows.append(("/tractor", OWN, time + 1000, tractor(k)))
    return rows


def check(path: Path, count: int = 20) -> None:
    read = list(read_messages(path))
    assert [each.topic for each in read] == ["/joint_states", "/tractor"] * count
    assert [each.log_time_ns for each in read[::2]] == [START + k * 10**8 for k in range(count)]
    assert list(read[6].message.position) == [0.1 * 3, -0.1 * 3]
    own = read[7].message
    assert (own.wheels[1].speed, own.wheels[0].slip, own.fuel, own.driver) == (
        -1.5,
        0.1,
        0.25,
        "Ada",
    )
    assert list(own.gears) == [0, 1, 2]
    info = recording_info(path)
    assert {name: (t.type_name, t.messages) for name, t in info.topics.items()} == {
        "/joint_states": (JOINTS, count),
        "/tractor": (OWN, count),
    }
    assert info.complete and info.bytes == size_of(path) > 0


@pytest.mark.parametrize("compression", ["none", "file", "message"])
@pytest.mark.parametrize("storage", ["sqlite3", "mcap"])
@pytest.mark.parametrize("with_metadata", [True, False])
def test_both_storages_and_compressions_read_the_same(
    write_bag: Bag, tmp_path: Path, storage: str, compression: str, with_metadata: bool
) -> None:
    folder = write_bag(tmp_path / "bag", content(), storage, compression, TYPES)
    if not with_metadata:
        (folder / METADATA).unlink()
    (file,) = [each for each in folder.iterdir() if each.name != METADATA]
    check(file)


def test_chunks_that_the_storage_compresses_are_read(write_bag: Bag, tmp_path: Path) -> None:
    folder = write_bag(tmp_path / "bag", content(), "mcap", "storage", TYPES)
    check(folder / "bag.mcap")


def test_any_name_will_do(write_bag: Bag, tmp_path: Path) -> None:
    folder = write_bag(tmp_path / "bag", content(), "sqlite3", "none", TYPES)
    path = tmp_path / "wet field? 50% #2.data"
    (folder / "bag.db3").rename(path)
    check(path)


@pytest.mark.parametrize("storage", ["sqlite3", "mcap"])
def test_a_bag_in_several_files_is_one(write_bag: Bag, tmp_path: Path, storage: str) -> None:
    ending = {"sqlite3": "db3", "mcap": "mcap"}[storage]
    rows, bag = content(), tmp_path / "bag"
    bag.mkdir()
    for k in range(2):  # topics in another order, so that their numbers differ
        part = rows[20 * k : 20 * (k + 1)]
        one = write_bag(tmp_path / f"p{k}", part[::-1] if k else part, storage, "none", TYPES)
        shutil.move(one / f"p{k}.{ending}", bag / f"bag_{k}.{ending}")
    names = [f"bag_{k}.{ending}" for k in range(2)]
    text = f"rosbag2_bagfile_information: {{version: 5, relative_file_paths: [{', '.join(names)}]}}"
    (bag / METADATA).write_text(text)
    assert parts_of(bag) == names
    assert files_of(bag) == [bag / name for name in names]
    read = list(read_messages(bag))
    assert sorted(each.log_time_ns for each in read) == [row[2] for row in rows]
    assert recording_info(bag).topics["/tractor"].messages == 20
    (bag / names[1]).unlink()
    with pytest.raises(UserError, match=f"bag: {names[1]} is missing, which metadata.yaml lists"):
        recording_info(bag)


def test_topics_that_are_not_asked_for_are_left_out(write_bag: Bag, tmp_path: Path) -> None:
    for storage in ("sqlite3", "mcap"):
        folder = write_bag(tmp_path / storage, content(), storage, "none", TYPES)
        (file,) = [each for each in folder.iterdir() if each.name != METADATA]
        assert {c.topic for _, c, _ in messages_of(file, ["/tractor"])} == {"/tractor"}
        assert list(messages_of(file, ["/nothing"])) == []


def old_database(path: Path, kind: str, data: bytes) -> Path:
    """A database as `ros2 bag` wrote it until Humble: types without their definitions."""
    with sqlite3.connect(path) as base:
        base.execute(
            "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, "
            "serialization_format TEXT NOT NULL, offered_qos_profiles TEXT NOT NULL)"
        )
        base.execute(
            "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, "
            "timestamp INTEGER NOT NULL, data BLOB NOT NULL)"
        )
        base.execute("INSERT INTO topics VALUES(1, '/said', ?, 'cdr', '')", (kind,))
        base.execute("INSERT INTO messages VALUES(1, 1, 5, ?)", (data,))
    base.close()
    return path


TEXT = b"\0\1\0\0\3\0\0\0ab\0"


def test_types_without_definitions_are_known_or_said_not_to_be(tmp_path: Path) -> None:
    (said,) = read_messages(old_database(tmp_path / "a.db3", "std_msgs/msg/String", TEXT))
    assert (said.message.data, said.log_time_ns) == ("ab", 5)
    path = old_database(tmp_path / "b.db3", "farm_msgs/msg/Cow", TEXT)
    assert recording_info(path).topics["/said"].encoding != ""
    with pytest.raises(UserError, match="/said holds farm_msgs/msg/Cow, of which there is no def"):
        list(read_messages(path, ["/said"]))


IDL = """\
module farm_msgs { module msg {
  struct Cow { int32 legs; sequence<double> weights; };
}; };
"""


@pytest.mark.parametrize("encoding", ["ros2idl", "omgidl"])
def test_types_in_idl_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.mcap"
    with open(path, "wb") as stream:
        writer = Writer(stream, compression=CompressionType.NONE)
        writer.start(profile="ros2")
        schema = writer.register_schema("farm_msgs/msg/Cow", encoding, IDL.encode())
        channel = writer.register_channel("/cow", "cdr", schema)
        legs = (4).to_bytes(4, "little")
        empty = bytes(4)
        writer.add_message(channel, 1, b"\0\1\0\0" + legs + empty, 1)
        writer.finish()
    (cow,) = read_messages(path)
    assert cow.message.legs == 4 and list(cow.message.weights) == []


def test_a_definition_is_never_run(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    name = "x/msg/Y'+__import__('os').system('touch it-ran')+'"
    with open(path, "wb") as stream:
        writer = Writer(stream, compression=CompressionType.NONE)
        writer.start(profile="ros2")
        schema = writer.register_schema(name, "ros2idl", IDL.encode())
        writer.add_message(writer.register_channel("/cow", "cdr", schema), 1, bytes(8), 1)
        writer.finish()
    here = os.getcwd()
    os.chdir(tmp_path)
    try:
        list(read_messages(path))
        with pytest.raises(UserError, match="/cow holds cdr with a type in ros2idl"):
            list(read_messages(path, ["/cow"]))
    finally:
        os.chdir(here)
    assert not (tmp_path / "it-ran").exists()


def packed(data: bytes) -> bytes:
    """As zstd compresses it in blocks of 4 KB, so that much of a torn file can be unpacked."""
    packer = zstandard.ZstdCompressor().compressobj()
    blocks = [data[k : k + 4096] for k in range(0, len(data), 4096)]
    how = zstandard.COMPRESSOBJ_FLUSH_BLOCK
    return b"".join(packer.compress(each) + packer.flush(how) for each in blocks) + packer.flush()


@pytest.mark.parametrize(
    ("name", "damage", "words"),
    [
        ("bag.db3", lambda data: b"", "an empty file \\(0 bytes\\), expected an MCAP file"),
        ("bag.db3", lambda data: data[:100], "damaged or not a bag of SQLite"),
        ("bag.db3", lambda data: data[: len(data) // 2], "damaged or not a bag of SQLite"),
        (
            "bag.db3",
            lambda data: bytes(b ^ 0x5A for b in data),
            "not a recording",
        ),
        ("bag.db3", lambda data: zstandard.compress(data)[:-900], "not a recording"),
        ("bag.db3", lambda data: packed(data)[:-900], "damaged or not a bag of SQLite"),
        ("bag.mcap", lambda data: b"", "an empty file \\(0 bytes\\)"),
        ("bag.mcap", lambda data: bytes(b ^ 0x5A for b in data), "not a recording"),
    ],
)
def test_damage_is_one_line(
    write_bag: Bag, tmp_path: Path, name: str, damage: Callable[[bytes], bytes], words: str
) -> None:
    storage = "mcap" if name.endswith("mcap") else "sqlite3"
    path = write_bag(tmp_path / "bag", content(400), storage, "none", TYPES) / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=words) as caught:
        list(messages_of(path))
    assert "\n" not in str(caught.value) and name in str(caught.value)


def test_a_file_that_is_no_bag_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "notes.db3") as base:
        base.execute("CREATE TABLE notes(id INTEGER)")
    base.close()
    with pytest.raises(UserError, match="notes.db3: damaged or not a bag of SQLite"):
        recording_info(tmp_path / "notes.db3")
    with pytest.raises(UserError, match="no.db3: cannot be read"):
        recording_info(tmp_path / "no.db3")
    with pytest.raises(UserError, match="a folder, expected a bag's file"):
        recording_info(tmp_path)


def test_what_sqlite_has_not_written_yet_is_told(write_bag: Bag, tmp_path: Path) -> None:
    path = write_bag(tmp_path / "bag", content(), "sqlite3", "none", TYPES) / "bag.db3"
    assert is_complete(path)
    path.with_name("bag.db3-wal").write_bytes(b"rest")
    assert not is_complete(path)
    check_topics = recording_info(path)
    assert not check_topics.complete and check_topics.topics["/tractor"].messages == 20


@pytest.mark.parametrize("storage", ["sqlite3", "mcap"])
def test_memory_does_not_grow_with_the_bag(write_bag: Bag, tmp_path: Path, storage: str) -> None:
    """Of 64 MB, a few at a time: chunks of MCAP, rows of SQLite."""
    block = bytes(1 << 20)
    image = "std_msgs/msg/ByteMultiArray"
    rows = [("/image", image, START + k, {"data": [block[:1]] and block}) for k in range(64)]
    folder = write_bag(tmp_path / "bag", rows, storage)
    (file,) = [each for each in folder.iterdir() if each.name != METADATA]
    tracemalloc.start()
    try:
        assert sum(len(message.data) > len(block) for _, _, message in messages_of(file)) == 64
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
