"""Recordings: MCAP files of the ROS 2 profile, chunked, indexed, readable after a kill.

Format: https://mcap.dev/spec, with the ROS 2 profile of its registry.
"""

from __future__ import annotations

import os
import re
import struct
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, cast

import lz4.frame
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Message, Schema
from mcap.stream_reader import breakup_chunk
from mcap.writer import CompressionType, Writer
from mcap_ros2.decoder import DecoderFactory

from ros_mbmrl.data.message_definitions import definition
from ros_mbmrl.errors import RunError, UserError

MAGIC = b"\x89MCAP0\r\n"
RECORD_HEAD = struct.Struct("<BQ")  # opcode, length
SUFFIX = ".mcap"
CHUNK_SECONDS = 1.0  # the most that a kill may cost
# What a file of others may ask us to hold [bytes]: of a chunk unpacked, of a message taken apart,
# of a type's definition, and how long an array of fixed length may be.
CHUNK_LIMIT, MESSAGE_LIMIT, SCHEMA_LIMIT, ARRAY_LIMIT = 64 << 20, 4 << 20, 1 << 16, 4096


class RecordingWriter:
    """Writes serialised messages to an MCAP file; a context manager.

    A chunk is closed and handed to the operating system once it is `chunk_seconds` old (by
    `clock`, seconds), so that a kill loses at most that much. Chunks age when something is
    written or `flush_if_due` is called. For one thread. Raises UserError if the file is there
    already or cannot be made, RunError once it cannot be written on (a full disk); what was
    written until then can be read.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] = time.monotonic,
        chunk_seconds: float = CHUNK_SECONDS,
    ) -> None:
        self._path, self._clock, self._chunk_seconds = path, clock, chunk_seconds
        if path.exists():
            raise UserError(f"{path}: is there already: expected a new file")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream: BinaryIO = open(path, "xb")  # noqa: SIM115 (close)
        except OSError as error:
            raise UserError(f"{path}: cannot record here ({error.strerror})") from error
        self._writer = cast(Any, Writer(self._stream, compression=CompressionType.ZSTD))  # untyped
        with self._writing():
            self._writer.start(profile="ros2", library="ros_mbmrl")
            self._writer.flush()
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        self._counts: dict[int, int] = {}
        self._opened: float | None = None  # when the open chunk began

    def __enter__(self) -> RecordingWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write_raw(
        self,
        topic: str,
        type_name: str,
        cdr_bytes: bytes,
        log_time_ns: int,
        publish_time_ns: int,
    ) -> None:
        """Add a serialised message. Raises UserError for a type without a definition."""
        channel = self._channel(topic, type_name)
        if self._opened is None:
            self._opened = self._clock()
        sequence = self._counts.get(channel, 0)
        self._counts[channel] = sequence + 1
        with self._writing():
            self._writer.add_message(channel, log_time_ns, cdr_bytes, publish_time_ns, sequence)
        self.flush_if_due()

    def flush_if_due(self) -> None:
        """Close the open chunk if it is old enough; call it when nothing has come for a while."""
        if self._opened is not None and self._clock() - self._opened >= self._chunk_seconds:
            with self._writing():
                self._writer.flush()
            self._opened = None

    def close(self) -> None:
        """Write the index and close the file; harmless the second time."""
        if not self._stream.closed:
            with self._writing():
                self._writer.finish()
                self._stream.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """The first failure is the last: half a chunk must not be followed by another."""
        try:
            yield
        except OSError as error:
            with suppress(OSError):  # it would write what is left, and fail again
                self._stream.close()
            raise RunError(
                f"{self._path}: cannot be written on ({error.strerror}); "
                "what was recorded until now can be read"
            ) from error

    def _channel(self, topic: str, type_name: str) -> int:
        if topic not in self._channels:
            if type_name not in self._schemas:
                text = definition(type_name).encode()
                self._schemas[type_name] = self._writer.register_schema(type_name, "ros2msg", text)
            self._channels[topic] = self._writer.register_channel(
                topic, "cdr", self._schemas[type_name], {"offered_qos_profiles": ""}
            )
        return self._channels[topic]


class Recorded(NamedTuple):
    """One message of a recording; `message` has the attributes of its type."""

    topic: str
    type_name: str
    log_time_ns: int
    message: Any


@dataclass(frozen=True)
class TopicInfo:
    """What is recorded on a topic, and when the first and the last message were."""

    type_name: str
    messages: int
    start_ns: int
    end_ns: int

    @property
    def rate(self) -> float:
        """Messages a second while there were any; 0 for a single one."""
        seconds = (self.end_ns - self.start_ns) / 1e9
        return (self.messages - 1) / seconds if seconds > 0 else 0.0


@dataclass(frozen=True)
class RecordingInfo:
    """What is in a recording. complete: False if its writer was killed."""

    topics: dict[str, TopicInfo]
    start_ns: int
    end_ns: int
    bytes: int
    complete: bool

    @property
    def seconds(self) -> float:
        """From the first message to the last [s]."""
        return (self.end_ns - self.start_ns) / 1e9


def read_messages(path: Path, topics: Collection[str] | None = None) -> Iterator[Recorded]:
    """Messages in the order they were recorded, of `topics` or of all.

    A file whose writer was killed is read up to its last whole chunk. Raises UserError for a
    file that is not a recording, or is damaged.
    """
    decoders = DecoderFactory()
    for schema, channel, message in _raw_messages(path):
        if topics is not None and channel.topic not in topics:
            continue
        try:
            _check_sizes(schema, message)
            decode = decoders.decoder_for(channel.message_encoding, schema)
            decoded = None if decode is None else decode(message.data)
        except Exception as error:  # whatever parsing damage may raise
            raise UserError(f"{path}: damaged message on {channel.topic} ({error})") from error
        if decoded is None:
            raise UserError(f"{path}: {channel.topic} is not a ROS 2 message ({schema.encoding})")
        yield Recorded(channel.topic, schema.name, message.log_time, decoded)


def _check_sizes(schema: Schema, message: Message) -> None:
    """Every part of a message takes up room in its bytes, so that these bound what comes of it."""
    if len(schema.data) > SCHEMA_LIMIT or len(message.data) > MESSAGE_LIMIT:
        raise ValueError(
            f"{len(schema.data)} bytes of type, {len(message.data)} of message: "
            f"expected up to {SCHEMA_LIMIT} and {MESSAGE_LIMIT}"
        )
    for size in re.findall(rb"\[(\d+)\]", schema.data):
        if len(size) > 9 or not 1 <= int(size) <= ARRAY_LIMIT:
            raise ValueError(f"{schema.name}: an array of fixed length {size[:20].decode()}")


def recording_info(path: Path) -> RecordingInfo:
    """What is in a recording, complete or not. Raises UserError."""
    topics: dict[str, TopicInfo] = {}
    for schema, channel, message in _raw_messages(path):
        time_ns, before = message.log_time, topics.get(channel.topic)
        if before is None:
            topics[channel.topic] = TopicInfo(schema.name, 1, time_ns, time_ns)
        else:
            first, last = min(before.start_ns, time_ns), max(before.end_ns, time_ns)
            topics[channel.topic] = TopicInfo(schema.name, before.messages + 1, first, last)
    return RecordingInfo(
        topics=dict(sorted(topics.items())),
        start_ns=min((topic.start_ns for topic in topics.values()), default=0),
        end_ns=max((topic.end_ns for topic in topics.values()), default=0),
        bytes=path.stat().st_size,
        complete=_complete(path),
    )


def _raw_messages(path: Path) -> Iterator[tuple[Schema, Channel, Message]]:
    schemas: dict[int, Schema] = {}
    channels: dict[int, Channel] = {}
    for record in _records(path):
        if isinstance(record, Schema):
            schemas[record.id] = record
        elif isinstance(record, Channel):
            channels[record.id] = record
        elif isinstance(record, Message):
            channel = channels.get(record.channel_id)
            schema = None if channel is None else schemas.get(channel.schema_id)
            if channel is None or schema is None:
                raise UserError(f"{path}: a message of a channel or type that is not told of")
            yield schema, channel, record


def _records(path: Path) -> Iterator[Schema | Channel | Message]:
    """Schemas, channels and messages of every chunk that was written whole."""
    with _opened(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        while stream.tell() + RECORD_HEAD.size <= size:
            offset = stream.tell()
            opcode, length = RECORD_HEAD.unpack(stream.read(RECORD_HEAD.size))
            if opcode == Opcode.DATA_END or stream.tell() + length > size:
                return
            if opcode != Opcode.CHUNK:
                stream.seek(length, os.SEEK_CUR)
                continue
            try:
                if length > CHUNK_LIMIT:
                    raise ValueError(f"{length} bytes, expected up to {CHUNK_LIMIT}")
                chunk = Chunk.read(ReadDataStream(BytesIO(stream.read(length))))
                records = breakup_chunk(_unpacked(chunk), validate_crc=True)
            except Exception as error:  # whatever decompressing or parsing damage may raise
                raise UserError(f"{path}: damaged chunk at byte {offset} ({error})") from error
            for record in records:
                if isinstance(record, (Schema, Channel, Message)):
                    yield record


def _unpacked(chunk: Chunk) -> Chunk:
    """The same without compression. Not by the size it claims: by what comes out, to a limit."""
    if chunk.compression == "zstd":
        data = zstandard.ZstdDecompressor().stream_reader(chunk.data).read(CHUNK_LIMIT + 1)
    elif chunk.compression == "lz4":
        data = lz4.frame.LZ4FrameDecompressor().decompress(chunk.data, CHUNK_LIMIT + 1)
    elif chunk.compression:
        raise ValueError(f"unknown compression '{chunk.compression}'")
    else:
        return chunk
    if len(data) > CHUNK_LIMIT:
        raise ValueError(f"unpacks to more than {CHUNK_LIMIT} bytes")
    if len(data) != chunk.uncompressed_size:
        raise ValueError(f"unpacks to {len(data)} bytes, not {chunk.uncompressed_size}")
    return replace(chunk, compression="", data=data)


def _opened(path: Path) -> BinaryIO:
    try:
        stream = open(path, "rb")  # noqa: SIM115 (the caller's)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    if stream.read(len(MAGIC)) != MAGIC:
        stream.close()
        raise UserError(f"{path}: not a recording, expected an MCAP file")
    return stream


def _complete(path: Path) -> bool:
    with _opened(path) as stream:
        stream.seek(max(len(MAGIC), path.stat().st_size - len(MAGIC)))
        return stream.read() == MAGIC
