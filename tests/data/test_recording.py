"""Recordings: what is written is read, by us and by others, also after a kill."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.data.message_definitions import definition
from ros_mbmrl.data.recording import RecordingWriter, read_messages, read_raw, recording_info
from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.topics import TOPICS

typesys = pytest.importorskip("rosbags.typesys", reason="rosbags is not installed")
STORE = typesys.get_typestore(typesys.Stores.ROS2_JAZZY)

TYPES = tuple(dict.fromkeys(topic.type for topic in TOPICS))


@pytest.fixture(autouse=True)
def _definitions() -> None:
    try:
        definition("sensor_msgs/msg/JointState")
    except UserError as error:
        pytest.skip(str(error))


class Steps:
    """A clock that moves by a tenth of a second at each reading."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        self.time += 0.1
        return self.time


def _text(words: str) -> bytes:
    message = STORE.types["std_msgs/msg/String"](words)
    return bytes(STORE.serialize_cdr(message, "std_msgs/msg/String"))


def _blank(type_name: str) -> Any:
    """A message of a type with every field at zero."""
    import numpy as np

    base = typesys.base.Nodetype
    fields = STORE.fielddefs[type_name][1]
    values = []
    for _, (kind, detail) in fields:
        if kind == base.NAME:
            values.append(_blank(detail))
        elif kind == base.BASE:
            values.append({"string": "", "bool": False}.get(detail[0], 0))
        elif detail[0][0] == base.NAME or detail[0][1][0] == "string":
            values.append([])
        else:
            size = detail[1] if kind == base.ARRAY else 0
            values.append(np.zeros(size, dtype=detail[0][1][0]))
    return STORE.types[type_name](*values)


def _write(path: Path, count: int) -> None:
    with RecordingWriter(path, clock=Steps()) as writer:
        for k in range(count):
            writer.write_raw("/words", "std_msgs/msg/String", _text(f"w{k}"), 10 * k, 10 * k)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    _write(tmp_path / "deep" / "run.mcap", 25)
    read = list(read_messages(tmp_path / "deep" / "run.mcap"))
    assert [r.message.data for r in read] == [f"w{k}" for k in range(25)]
    assert [r.log_time_ns for r in read] == [10 * k for k in range(25)]
    assert {(r.topic, r.type_name) for r in read} == {("/words", "std_msgs/msg/String")}


def test_an_import_tells_from_what_it_was_made(tmp_path: Path) -> None:
    for name in ("bag", ""):
        path = tmp_path / f"run_{name}.mcap"
        with RecordingWriter(path, origin=name) as writer:
            writer.write_raw("/words", "std_msgs/msg/String", _text("w"), 0, 0)
        assert recording_info(path).origin == name


def test_topics_are_selected_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    with RecordingWriter(path, clock=Steps()) as writer:
        for k in range(6):
            writer.write_raw(f"/t{k % 2}", "std_msgs/msg/String", _text("w"), k * 10**9, 0)
    assert len(list(read_messages(path, ["/t1"]))) == 3
    info = recording_info(path)
    assert {name: topic.messages for name, topic in info.topics.items()} == {"/t0": 3, "/t1": 3}
    assert info.seconds == 5.0
    assert info.complete


def test_a_chunk_is_closed_when_it_is_old_enough(tmp_path: Path) -> None:
    now = 0.0
    path = tmp_path / "run.mcap"
    writer = RecordingWriter(path, clock=lambda: now, chunk_seconds=1.0)
    writer.write_raw("/words", "std_msgs/msg/String", _text("first"), 0, 0)
    now = 0.9
    writer.flush_if_due()
    assert list(read_messages(path)) == []
    now = 1.0
    writer.flush_if_due()
    assert [r.message.data for r in read_messages(path)] == ["first"]
    assert not recording_info(path).complete
    writer.close()
    writer.close()
    assert recording_info(path).complete


def test_sigkill_loses_at_most_the_open_chunk(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    script = f"""
        import itertools, pathlib, sys
        from ros_mbmrl.data.recording import RecordingWriter
        ticks = itertools.count()
        writer = RecordingWriter(pathlib.Path({str(path)!r}), clock=lambda: 0.1 * next(ticks))
        for k in range(57):
            writer.write_raw("/words", "std_msgs/msg/String", {_text("w")!r}, k, k)
        print("written", flush=True)
        sys.stdin.read()
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        process.send_signal(signal.SIGKILL)
    times = [r.log_time_ns for r in read_messages(path)]
    assert times == list(range(len(times)))
    assert 57 - 10 <= len(times) < 57  # a chunk is one second: ten ticks of the clock
    assert not recording_info(path).complete


def test_a_file_cut_anywhere_gives_its_whole_chunks(tmp_path: Path) -> None:
    path, cut = tmp_path / "run.mcap", tmp_path / "cut.mcap"
    _write(path, 40)
    data = path.read_bytes()
    counts = []
    for size in range(8, len(data), 37):
        cut.write_bytes(data[:size])
        counts.append(len(list(read_messages(cut))))
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[-1] == 40


def test_damage_inside_a_chunk_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    _write(path, 40)
    data = bytearray(path.read_bytes())
    data[data.index(b"zstd") + 40] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(UserError, match="damaged chunk at byte"):
        list(read_messages(path))


@pytest.mark.parametrize("content", [None, b"", b"something else"])
def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "run.mcap"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError):
        recording_info(path)


def test_unknown_types_are_refused(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "run.mcap") as writer:
        with pytest.raises(UserError, match="no_such_package/msg/Thing"):
            writer.write_raw("/t", "no_such_package/msg/Thing", b"", 0, 0)
        with pytest.raises(UserError, match="not a message type"):
            writer.write_raw("/t", "Thing", b"", 0, 0)


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot record here"):
        RecordingWriter(tmp_path / "file" / "run.mcap")


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    _write(tmp_path / "run.mcap", 5)
    before = (tmp_path / "run.mcap").read_bytes()
    with pytest.raises(UserError, match="is there already: expected a new file"):
        RecordingWriter(tmp_path / "run.mcap")
    assert (tmp_path / "run.mcap").read_bytes() == before


def test_a_full_disk_is_told_once_and_what_was_written_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.mcap"
    writer = RecordingWriter(path, clock=Steps())
    for k in range(25):
        writer.write_raw("/words", "std_msgs/msg/String", _text(f"w{k}"), k, k)
    kept = len(list(read_messages(path)))
    assert kept > 0

    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer._writer, "flush", full)
    with pytest.raises(RunError, match=r"run\.mcap: cannot be written on \(No space left"):
        for k in range(25):
            writer.write_raw("/words", "std_msgs/msg/String", _text(f"w{k}"), k, k)
    writer.close()
    assert len(list(read_messages(path))) == kept
    assert not recording_info(path).complete


def test_a_topics_rate_is_over_the_time_it_was_there(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "run.mcap", clock=Steps()) as writer:
        for k in range(11):
            writer.write_raw("/fast", "std_msgs/msg/String", _text("w"), 10**9 + k * 10**8, 0)
        writer.write_raw("/once", "std_msgs/msg/String", _text("w"), 9 * 10**9, 0)
    topics = recording_info(tmp_path / "run.mcap").topics
    assert topics["/fast"].rate == pytest.approx(10.0)
    assert topics["/once"].rate == 0.0


def test_rosbags_opens_a_finished_file_and_resolves_every_type_of_the_graph(tmp_path: Path) -> None:
    from rosbags.rosbag2.storage_mcap import McapReader

    path = tmp_path / "run.mcap"
    with RecordingWriter(path) as writer:
        for k, kind in enumerate(TYPES):
            data = bytes(STORE.serialize_cdr(_blank(kind), kind))
            writer.write_raw(f"/topic{k}", kind, data, 5 + k, 5 + k)
    reader = McapReader(path)
    reader.open()
    try:
        own = typesys.get_typestore(typesys.Stores.EMPTY)
        assert {c.msgtype for c in reader.connections} == set(TYPES)
        for connection in reader.connections:
            types = typesys.get_types_from_msg(connection.msgdef.data, connection.msgtype)
            own.register({k: v for k, v in types.items() if k not in own.fielddefs})
        read = list(reader.messages(reader.connections, None, None))
        assert len(read) == len(TYPES)
        for connection, _, data in read:
            assert own.deserialize_cdr(data, connection.msgtype) is not None
    finally:
        reader.close()
    assert [r.type_name for r in read_messages(path)] == list(TYPES)


def test_messages_are_read_as_their_bytes(tmp_path: Path) -> None:
    _write(tmp_path / "run.mcap", 3)
    raw = list(read_raw(tmp_path / "run.mcap"))
    assert [each.data for each in raw] == [_text(f"w{k}") for k in range(3)]
    assert {(r.topic, r.type_name, r.schema) for r in raw} == {
        ("/words", "std_msgs/msg/String", definition("std_msgs/msg/String").encode())
    }
    assert [each.log_time_ns for each in raw] == [0, 10, 20]
    (tmp_path / "no.mcap").write_bytes(b"nothing")
    with pytest.raises(UserError, match="not a recording"):
        list(read_raw(tmp_path / "no.mcap"))
