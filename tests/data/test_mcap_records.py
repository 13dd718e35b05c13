"""A recording reads the same however its writer has laid it out, and up to where it was cut."""

from __future__ import annotations

import itertools
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lz4.frame
import numpy as np
import pytest
import zstandard
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.reader import make_reader
from mcap.records import Attachment, Channel, Chunk, DataEnd, Footer, Header, Message, Metadata
from mcap.records import Schema as Type

from ros_mbmrl.collection.recorder import RunRecorder
from ros_mbmrl.data import dataset
from ros_mbmrl.data.mcap_records import CHUNK_LIMIT, MAGIC, RECORD_HEAD, messages_of
from ros_mbmrl.data.message_definitions import definition
from ros_mbmrl.data.recording import read_messages, recording_info
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.safety.types import Checked, Level

SPEC = make_robot("hexapod").spec
STEPS, CHUNK = 12, 20  # control steps of the good recording; messages in a chunk
PACK = {
    "": lambda data: data,
    "zstd": zstandard.ZstdCompressor().compress,
    "lz4": lz4.frame.compress,
}


@dataclass(frozen=True)
class Layout:
    """How a recording is laid out.

    chunked: whether message k lies in a chunk. apart: types and channels lie before all messages,
    outside of chunks. repeated: every chunk begins with all of them. compression: of chunks; each:
    of every message. checked: with check sums. crowded: with what a reader must pass over.
    """

    chunked: Callable[[int], bool] = lambda k: True
    apart: bool = False
    repeated: bool = False
    compression: str = ""
    each: bool = False
    checked: bool = True
    crowded: bool = False


WHERE: dict[str, dict[str, Any]] = {
    "chunks": {},
    "no chunks": {"chunked": lambda k: False},
    "first half in chunks": {"chunked": lambda k: k < 50},
    "second half in chunks": {"chunked": lambda k: k >= 50},
    "in turn": {"chunked": lambda k: k // 7 % 2 == 0},
    "types apart": {"apart": True},
    "types repeated": {"repeated": True},
    "types apart, no chunks": {"apart": True, "chunked": lambda k: False},
}


@pytest.fixture(autouse=True)
def _definitions() -> None:
    try:
        definition("sensor_msgs/msg/JointState")
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A recorded run of the hexapod."""
    path = tmp_path / "good.mcap"
    with RunRecorder(SPEC, path) as recorder:
        for k in range(STEPS):
            values = np.array([0.02 * k, 0, 0.05, 1, *[0] * 9, k, 2 * k, 0.5, 0.6, 3.9])
            values[7:13] = np.random.default_rng(k).normal(size=6)
            recorder.measured(Measurement(1 + 0.1 * k, values))
            recorder.answered(np.ones(2) + k, Checked(np.ones(2) + k, Level.RUN, ()), False)
    return path


@pytest.fixture
def rewrite(good: Path, tmp_path: Path) -> Callable[[Layout], Path]:
    """Writes the good recording again, laid out otherwise."""
    with good.open("rb") as stream:
        messages = list(make_reader(stream).iter_messages(log_time_order=False))

    def rewritten(layout: Layout) -> Path:
        path = tmp_path / "again.mcap"
        path.write_bytes(laid_out(messages, layout))
        return path

    return rewritten


def laid_out(messages: list[Any], layout: Layout) -> bytes:
    """A file with these messages."""
    types = {s.id: s for s, _, _ in messages}
    channels = {c.id: c for _, c, _ in messages}
    told = [*types.values(), *channels.values()]
    top = RecordBuilder()
    Header(profile="ros2", library="test").write(top)
    if layout.crowded:
        crowd(top)
    if layout.apart:
        for record in told:
            longer(top, record) if layout.crowded else record.write(top)
    known: set[tuple[type, int]] = {(type(r), r.id) for r in told} if layout.apart else set()
    for inside, group in grouped(messages, layout):
        target = RecordBuilder() if inside else top
        if inside and layout.repeated:
            for record in told:
                record.write(target)
        for schema, channel, message in group:
            for record in (schema, channel):
                key = (type(record), record.id)
                if key not in known and not (inside and layout.repeated):
                    record.write(target)
                    known.add(key)
            data = PACK["zstd"](message.data) if layout.each else message.data
            Message(
                message.channel_id, message.log_time, data, message.publish_time, message.sequence
            ).write(target)
            if layout.crowded:
                note(target, message)
        if inside:
            data = target.end()
            packed = PACK[layout.compression](data)
            check = zlib.crc32(data) if layout.checked else 0
            Chunk(layout.compression, packed, 2, 1, check, len(data)).write(top)
    DataEnd(0).write(top)
    Footer(0, 0, 0).write(top)
    return MAGIC + bytes(top.end()) + MAGIC


def grouped(messages: list[Any], layout: Layout) -> Iterator[tuple[bool, list[Any]]]:
    """Runs of messages that lie in one chunk, or outside."""
    numbers = itertools.groupby(
        range(len(messages)), key=lambda k: (layout.chunked(k), k // CHUNK * layout.chunked(k))
    )
    for (inside, _), group in numbers:
        yield inside, [messages[k] for k in group]


def raw(target: RecordBuilder, opcode: int, body: bytes) -> None:
    target.write(RECORD_HEAD.pack(opcode, len(body)) + body)


def crowd(top: RecordBuilder) -> None:
    """Records of other kinds, among them those that no version of the format has yet."""
    Attachment(1, 2, "scene.jpg", "image/jpeg", bytes(range(256)) * 9).write(top)
    Metadata("who", {"operator": "x"}).write(top)
    Type(0, b"", "", "").write(top)  # number 0 is for channels without a type
    raw(top, 0x42, b"later")
    raw(top, 0x80, bytes(500))
    Channel(900, "/operator/notes", "json", {}, 0).write(top)
    Type(901, b"{}", "jsonschema", "Pose").write(top)
    Channel(901, "/web/pose", "json", {}, 901).write(top)
    Channel(902, "/legacy", "cdr", {}, 0).write(top)


def note(target: RecordBuilder, message: Message) -> None:
    for channel in (900, 901, 902):
        Message(channel, message.log_time, b'{"note": "x"}', message.log_time, 0).write(target)
    raw(target, 0x81, b"")


def longer(target: RecordBuilder, record: Any) -> None:
    """A record with a field that a later version of the format may add at its end."""
    builder = RecordBuilder()
    record.write(builder)
    data = bytes(builder.end())
    opcode, _ = RECORD_HEAD.unpack_from(data)
    raw(target, opcode, data[RECORD_HEAD.size :] + b"more")


def contents(path: Path) -> list[Any]:
    return [(r.topic, r.type_name, r.log_time_ns, repr(r.message)) for r in read_messages(path)]


def undecoded(path: Path) -> list[Any]:
    """The same, byte by byte: what is decoded follows from it, and takes most of the time."""
    return [(s.name, c.topic, m.log_time, bytes(m.data)) for s, c, m in messages_of(path)]


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("compression", PACK)
def test_a_recording_reads_the_same_however_it_is_laid_out(
    good: Path, rewrite: Callable[[Layout], Path], where: str, compression: str, tmp_path: Path
) -> None:
    expected, info = contents(good), recording_info(good)
    (rollout,) = dataset.load([good])
    for each, checked, crowded, whole in itertools.product((False, True), repeat=4):
        layout = Layout(
            **WHERE[where], compression=compression, each=each, checked=checked, crowded=crowded
        )
        path = rewrite(layout)
        if whole:
            packed = tmp_path / "again.mcap.zstd"
            packed.write_bytes(PACK["zstd"](path.read_bytes()))
            path = packed
        assert contents(path) == expected, layout
        found = recording_info(path)
        assert found.complete
        same = {name: each for name, each in found.topics.items() if not each.encoding}
        assert same == info.topics
        (again,) = dataset.load([path])
        assert again.tags["session"] == "again"
        np.testing.assert_array_equal(again.states, rollout.states)
        np.testing.assert_array_equal(again.actions, rollout.actions)


def test_messages_that_are_not_of_ros_are_listed_and_refused_where_they_are_needed(
    rewrite: Callable[[Layout], Path],
) -> None:
    path = rewrite(Layout(crowded=True))
    topics = recording_info(path).topics
    told = {name: (each.type_name, each.encoding) for name, each in topics.items()}
    assert told["/operator/notes"] == ("", "json")
    assert told["/web/pose"] == ("Pose", "json")
    assert told["/legacy"] == ("", "cdr without a type")
    assert told["/hexapod/odom"] == ("nav_msgs/msg/Odometry", "")
    with pytest.raises(UserError, match=r"/web/pose holds json: expected ROS 2 messages"):
        list(read_messages(path, ["/hexapod/odom", "/web/pose"]))


def foreign(path: Path, topic: str) -> None:
    """Says of a topic's messages that they are JSON."""
    data, old = path.read_bytes(), f"{topic}".encode()
    at = data.index(old) + len(old)
    assert data[at : at + 7] == b"\3\0\0\0cdr"
    path.write_bytes(data[:at] + b"\3\0\0\0jsn" + data[at + 7 :])


def test_a_needed_topic_in_another_encoding_is_refused_by_name_and_another_is_left_out(
    rewrite: Callable[[Layout], Path],
) -> None:
    path = rewrite(Layout(chunked=lambda k: False))
    (rollout,) = dataset.load([path])
    foreign(path, "/diagnostics")
    (without,) = dataset.load([path])
    np.testing.assert_array_equal(without.states, rollout.states)
    foreign(path, "/hexapod/imu")
    with pytest.raises(UserError, match=r"/hexapod/imu holds jsn: expected ROS 2 messages"):
        dataset.load([path])


@pytest.mark.parametrize("kind", [Type, Channel])
def test_a_number_that_is_given_twice_is_refused(
    rewrite: Callable[[Layout], Path], kind: type
) -> None:
    path = rewrite(Layout(apart=True))
    top = RecordBuilder()
    other = Type(1, b"", "ros2msg", "a/B") if kind is Type else Channel(1, "/x", "cdr", {}, 1)
    other.write(top)
    data = path.read_bytes()
    path.write_bytes(data[: len(MAGIC)] + bytes(top.end()) + data[len(MAGIC) :])
    with pytest.raises(UserError, match="two (types|channels) with the number 1"):
        list(read_messages(path))


@pytest.mark.parametrize("compression", PACK)
@pytest.mark.parametrize("where", ["chunks", "no chunks", "in turn"])
@pytest.mark.parametrize("checked", [True, False])
def test_zeros_behind_a_cut_read_as_the_cut(
    rewrite: Callable[[Layout], Path], where: str, compression: str, checked: bool, tmp_path: Path
) -> None:
    path = rewrite(Layout(**WHERE[where], compression=compression, checked=checked))
    data, cut = path.read_bytes(), tmp_path / "cut.mcap"
    whole = undecoded(path)
    before = 0
    # Half a record whose zeros end where the file does could be a whole one that ends in zeros,
    # unless a chunk's check sum or compression tells.
    told = where == "chunks" and (checked or compression)
    fills = (1, 20, 300, 4096, 100_000) if told else (100_000,)
    for size in range(len(MAGIC), len(data) - 60, len(data) // 60 | 1):
        cut.write_bytes(data[:size])
        expected = undecoded(cut)
        assert expected == whole[: len(expected)] and len(expected) >= before
        before = len(expected)
        for zeros in (*fills, len(data) - size):
            cut.write_bytes(data[:size] + bytes(zeros))
            found = undecoded(cut)
            # A chunk that the zeros make whole is whole. A message that ends in zeros may be half
            # of one: outside of chunks it is dropped.
            assert found == whole[: len(found)]
            assert len(found) >= len(expected) - (where != "chunks")
            assert not recording_info(cut).complete
    assert before > 30


@pytest.mark.parametrize("where", ["chunks", "no chunks"])
def test_a_compressed_file_that_is_cut_reads_up_to_the_cut(
    rewrite: Callable[[Layout], Path], where: str, tmp_path: Path
) -> None:
    path = rewrite(Layout(**WHERE[where]))
    data, packer = path.read_bytes(), zstandard.ZstdCompressor().compressobj()
    blocks = [  # as a file of hundreds of kilobytes has
        packer.compress(data[at : at + 4096]) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        for at in range(0, len(data), 4096)
    ]
    packed = b"".join(blocks)
    whole, cut = contents(path), tmp_path / "cut.mcap.zstd"
    counts = []
    for size in range(len(blocks[0]), len(packed) - 1, 97):
        cut.write_bytes(packed[:size])
        found = contents(cut)
        assert found == whole[: len(found)]
        counts.append(len(found))
    assert counts == sorted(counts) and counts[-1] > 30


@pytest.mark.parametrize("name", ["behind the head", "in a chunk", "in a packed chunk"])
def test_many_zeros_are_refused_fast(name: str, tmp_path: Path) -> None:
    size = CHUNK_LIMIT - 1000
    data = bytes(size)
    top = RecordBuilder()
    if name != "behind the head":
        how = "zstd" if "packed" in name else ""
        Chunk(how, PACK[how](data), 0, 0, 0, size).write(top)
        DataEnd(0).write(top)
        data = b""
    path = tmp_path / "zeros.mcap"
    path.write_bytes(MAGIC + bytes(top.end()) + data)
    started = time.process_time()
    with pytest.raises(UserError):
        dataset.load([path])
    assert time.process_time() - started < 5.0  # 50 s where every nine zeros are a record


def test_zeros_in_the_middle_are_damage(rewrite: Callable[[Layout], Path]) -> None:
    path = rewrite(Layout(chunked=lambda k: False))
    data = path.read_bytes()
    at = data.index(bytes(RECORD_HEAD.pack(int(Opcode.MESSAGE), 0)[:1]), len(data) // 2)
    path.write_bytes(data[:at] + bytes(4096) + data[at + 4096 :])
    with pytest.raises(UserError, match="damaged"):
        list(read_messages(path))


def test_a_length_that_leads_out_of_a_closed_file_is_damage(
    rewrite: Callable[[Layout], Path],
) -> None:
    path = rewrite(Layout())
    data = bytearray(path.read_bytes())
    at = data.index(bytes([int(Opcode.CHUNK)]), len(MAGIC) + 40)
    while RECORD_HEAD.unpack_from(data, at)[1] > len(data):
        at = data.index(bytes([int(Opcode.CHUNK)]), at + 1)
    data[at + 5] = 1
    path.write_bytes(data)
    with pytest.raises(UserError, match="damaged record at byte"):
        list(read_messages(path))


@pytest.mark.parametrize(
    ("head", "name"),
    [(b"\x1f\x8b\x08", "gzip"), (b"\x04\x22\x4d\x18", "lz4"), (b"BZh9", "bzip2")],
)
def test_other_compressions_are_refused_by_name(head: bytes, name: str, tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    path.write_bytes(head + bytes(50))
    with pytest.raises(UserError, match=f"compressed with {name}: unpack it first"):
        recording_info(path)


def test_what_unpacks_to_no_recording_or_is_damaged_is_refused(
    rewrite: Callable[[Layout], Path], tmp_path: Path
) -> None:
    path = tmp_path / "x.mcap.zstd"
    path.write_bytes(PACK["zstd"](b"something else"))
    with pytest.raises(UserError, match="not a recording, expected an MCAP file"):
        recording_info(path)
    data = PACK["zstd"](rewrite(Layout()).read_bytes())
    path.write_bytes(data[: len(data) // 2] + bytes(b ^ 0xA5 for b in data[len(data) // 2 :]))
    with pytest.raises(UserError, match="damaged behind byte 0 of what it unpacks to"):
        recording_info(path)
