"""Recordings: MCAP files of the ROS 2 profile, chunked, indexed, readable after a kill.

Format: https://mcap.dev/spec, with the ROS 2 profile of its registry.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, cast

from mcap.records import Channel, Message, Schema
from mcap.well_known import MessageEncoding, SchemaEncoding
from mcap.writer import CompressionType, Writer

from ros_mbmrl.data.bag import BagTopic, describe, forget, qos_text
from ros_mbmrl.data.bag_reader import is_complete, messages_of, size_of
from ros_mbmrl.data.decoding import Decoder
from ros_mbmrl.data.mcap_records import MESSAGE_LIMIT, SCHEMA_LIMIT, ZSTD, unpacked_zstd
from ros_mbmrl.data.message_definitions import definition
from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.topics import Qos

SUFFIX = ".mcap"
# Endings of recordings, also of those that are refused: other bags, other compressions.
SUFFIXES = tuple(
    kind + packed
    for kind in (SUFFIX, ".db3", ".bag")
    for packed in ("", ".zstd", ".zst", ".gz", ".bz2", ".lz4", ".xz")
)
CHUNK_SECONDS = 1.0  # largest loss by a kill [s]
ORIGIN = "imported_from"  # key of a channel's metadata
ARRAY_LIMIT = 4096  # largest array of fixed length


class RecordingWriter:
    """Writer of serialised messages to an MCAP file; a context manager, for one thread.

    A chunk is closed and handed to the operating system once it is `chunk_seconds` old (by `clock`,
    seconds), so that a kill loses at most that much. Chunks age when something is written or
    `flush_if_due` is called. Channels tell the `origin`: the kind of file that was imported; empty:
    none. Raises UserError if the file exists or cannot be created, RunError
    once writing fails (a full disk); messages written until then can be read.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] = time.monotonic,
        chunk_seconds: float = CHUNK_SECONDS,
        origin: str = "",
    ) -> None:
        self._path, self._clock, self._chunk_seconds = path, clock, chunk_seconds
        self._origin = {ORIGIN: origin} if origin else {}
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
        self._topics: dict[int, BagTopic] = {}  # by channel
        self._span: tuple[int, int] | None = None  # earliest and latest log time [ns]
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
        qos: Qos | None = None,
    ) -> None:
        """Add a serialised message; `qos` is what its topic is offered with.

        Raises UserError for a type without a definition.
        """
        channel = self._channel(topic, type_name, qos)
        if self._opened is None:
            self._opened = self._clock()
        sequence = self._topics[channel].messages
        self._topics[channel] = replace(self._topics[channel], messages=sequence + 1)
        if self._span is None:
            forget(self._path.parent)  # it described another recording alone in there
        first, last = self._span or (log_time_ns, log_time_ns)
        self._span = min(first, log_time_ns), max(last, log_time_ns)
        with self._writing():
            self._writer.add_message(channel, log_time_ns, cdr_bytes, publish_time_ns, sequence)
        self.flush_if_due()

    def flush_if_due(self) -> None:
        """Close the open chunk if it is old enough; to be called also when no message comes."""
        if self._opened is not None and self._clock() - self._opened >= self._chunk_seconds:
            with self._writing():
                self._writer.flush()
            self._opened = None

    def close(self) -> None:
        """Write the index and close the file; may be called again."""
        if not self._stream.closed:
            with self._writing():
                self._writer.finish()
                self._stream.close()
            if self._span is not None:
                describe(self._path, self._topics.values(), *self._span)

    def discard(self) -> None:
        """Close the file and remove it."""
        self._span = None
        self.close()
        self._path.unlink(missing_ok=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Close the file at the first failure: half a chunk must not be followed by another."""
        try:
            yield
        except OSError as error:
            with suppress(OSError):  # it would write the rest, and fail again
                self._stream.close()
            raise RunError(
                f"{self._path}: cannot be written on ({error.strerror}); "
                "what was recorded until now can be read"
            ) from error

    def _channel(self, topic: str, type_name: str, qos: Qos | None) -> int:
        if topic not in self._channels:
            if type_name not in self._schemas:
                text = definition(type_name).encode()
                self._schemas[type_name] = self._writer.register_schema(type_name, "ros2msg", text)
            facts = {"offered_qos_profiles": qos_text(qos), **self._origin}
            channel = self._writer.register_channel(topic, "cdr", self._schemas[type_name], facts)
            self._channels[topic] = channel
            self._topics[channel] = BagTopic(topic, type_name, qos, 0)
        return self._channels[topic]


class Recorded(NamedTuple):
    """One message of a recording; `message` has the attributes of its type."""

    topic: str
    type_name: str
    log_time_ns: int
    message: Any


class Raw(NamedTuple):
    """One message of a recording as its bytes; schema: definition of its type (`ros2msg`)."""

    topic: str
    type_name: str
    schema: bytes
    log_time_ns: int
    data: bytes


@dataclass(frozen=True)
class TopicInfo:
    """Type, number and time of the messages of a topic.

    Args:
        type_name: empty without a type.
        messages: their number.
        start_ns, end_ns: first and last log time [ns].
        encoding: of messages that are not ROS 2; empty for ROS 2 messages.
    """

    type_name: str
    messages: int
    start_ns: int
    end_ns: int
    encoding: str = ""

    @property
    def rate(self) -> float:
        """Return the messages per second while there were any; 0 for a single one."""
        seconds = (self.end_ns - self.start_ns) / 1e9
        return (self.messages - 1) / seconds if seconds > 0 else 0.0


@dataclass(frozen=True)
class RecordingInfo:
    """Content of a recording.

    Args:
        topics: by name.
        start_ns, end_ns: first and last log time [ns].
        bytes: size of the file.
        complete: False if its writer was killed.
        origin: kind of file that `mbmrl import` made it from; empty: it was recorded.
    """

    topics: dict[str, TopicInfo]
    start_ns: int
    end_ns: int
    bytes: int
    complete: bool
    origin: str = ""

    @property
    def seconds(self) -> float:
        """Return the time from the first message to the last [s]."""
        return (self.end_ns - self.start_ns) / 1e9


def read_messages(path: Path, topics: Collection[str] | None = None) -> Iterator[Recorded]:
    """Yield messages in the order they were recorded, of `topics` or of all ROS 2 topics.

    A file whose writer was killed is read up to its last whole record or chunk. Raises UserError
    for a file that is not a recording or is damaged, and for a topic among `topics` that does not
    hold ROS 2 messages.
    """
    decoder = Decoder()
    for schema, channel, message in messages_of(path, topics):
        encoding = foreign(schema, channel)
        if schema is None or encoding:
            if topics is None:
                continue
            raise UserError(f"{path}: {channel.topic} holds {encoding}: expected ROS 2 messages")
        try:
            decoded = decoder.decode(schema.name, schema.data, _message(schema, message))
        except Exception as error:  # any error that parsing may raise
            raise UserError(f"{path}: damaged message on {channel.topic} ({error})") from error
        yield Recorded(channel.topic, schema.name, message.log_time, decoded)


def read_raw(path: Path) -> Iterator[Raw]:
    """Yield the ROS 2 messages in the order they were recorded, not decoded.

    Raises UserError for a file that is not a recording or is damaged.
    """
    for schema, channel, message in messages_of(path):
        if schema is None or foreign(schema, channel):
            continue
        try:
            data = _message(schema, message)
        except Exception as error:  # any error that unpacking may raise
            raise UserError(f"{path}: damaged message on {channel.topic} ({error})") from error
        yield Raw(channel.topic, schema.name, schema.data, message.log_time, data)


def foreign(schema: Schema | None, channel: Channel) -> str:
    """Return the encoding of messages that are not ROS 2; empty for ROS 2 messages."""
    if channel.message_encoding != MessageEncoding.CDR:
        return channel.message_encoding or "messages of an unknown encoding"
    if schema is None:
        return f"{channel.message_encoding} without a type"
    if not schema.encoding and not schema.data:
        return f"{schema.name}, of which there is no definition"
    if schema.encoding != SchemaEncoding.ROS2:
        return f"{channel.message_encoding} with a type in {schema.encoding or 'no encoding'}"
    return ""


def _message(schema: Schema, message: Message) -> bytes:
    """Return a message's bytes. Every part of it needs space in them, so they bound its size."""
    data: bytes = message.data
    if data.startswith(ZSTD):  # as `ros2 bag` compresses by message; no CDR begins like that
        data = unpacked_zstd(data, MESSAGE_LIMIT)
    if len(schema.data) > SCHEMA_LIMIT or len(data) > MESSAGE_LIMIT:
        raise ValueError(
            f"{len(schema.data)} bytes of type, {len(data)} of message: "
            f"expected up to {SCHEMA_LIMIT} and {MESSAGE_LIMIT}"
        )
    _refuse_long_arrays(schema.name, schema.data)
    return data


@lru_cache(maxsize=256)
def _refuse_long_arrays(name: str, definition: bytes) -> None:
    """Raise ValueError for a fixed length that a message need not have the bytes for.

    Comments do not count: those of MultiArrays explain places such as `dim[0]`.
    """
    for size in re.findall(rb"\[(\d+)\]", re.sub(rb"#.*", b"", definition)):
        if len(size) > 9 or not 1 <= int(size) <= ARRAY_LIMIT:
            raise ValueError(f"{name}: an array of fixed length {size[:20].decode()}")


def stem(path: Path) -> str:
    """Return the name of a recording without its endings: `run_0` of `run_0.mcap.zstd`."""
    return path.name.rpartition(SUFFIX)[0] or path.stem


def recording_info(path: Path) -> RecordingInfo:
    """Return the content of a recording, complete or not. Raises UserError."""
    topics: dict[str, TopicInfo] = {}
    origin = ""
    for schema, channel, message in messages_of(path):
        origin = origin or channel.metadata.get(ORIGIN, "")
        time_ns, before = message.log_time, topics.get(channel.topic)
        if before is None:
            name, encoding = schema.name if schema else "", foreign(schema, channel)
            topics[channel.topic] = TopicInfo(name, 1, time_ns, time_ns, encoding)
        else:
            topics[channel.topic] = replace(
                before,
                messages=before.messages + 1,
                start_ns=min(before.start_ns, time_ns),
                end_ns=max(before.end_ns, time_ns),
            )
    return RecordingInfo(
        topics=dict(sorted(topics.items())),
        start_ns=min((topic.start_ns for topic in topics.values()), default=0),
        end_ns=max((topic.end_ns for topic in topics.values()), default=0),
        bytes=size_of(path),
        complete=is_complete(path),
        origin=origin,
    )
