"""Reader of MCAP files from other programs: every message, wherever it lies in the file.

Format: https://mcap.dev/spec. Schemas, channels and messages may lie in chunks, outside of them, or
both. A file may be compressed as a whole with zstd, as `ros2 bag` does.
"""

from __future__ import annotations

import math
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

import lz4.frame
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Message, Schema

from ros_mbmrl.errors import UserError

MAGIC = b"\x89MCAP0\r\n"
RECORD_HEAD = struct.Struct("<BQ")  # opcode, length
MESSAGE_HEAD = struct.Struct("<HIQQ")  # channel, sequence, log time, publish time
# Limits for a foreign file [bytes]: of an unpacked chunk, a decoded message, a type's definition,
# and a file that is compressed as a whole.
CHUNK_LIMIT, MESSAGE_LIMIT, SCHEMA_LIMIT, FILE_LIMIT = 64 << 20, 4 << 20, 1 << 16, 16 << 30
WINDOW_LIMIT = 128 << 20  # [bytes] that zstd may look back while unpacking
BLOCK = 1 << 16
ZSTD = b"\x28\xb5\x2f\xfd"
EXPECTED = "expected an MCAP file or a bag of SQLite (.db3)"
# Other kinds of recordings and the advice to give, by the first bytes of the file.
FOREIGN = MappingProxyType(
    {
        b"\x04\x22\x4d\x18": "compressed with lz4: unpack it first",
        b"\x1f\x8b": "compressed with gzip: unpack it first",
        b"BZh": "compressed with bzip2: unpack it first",
        b"\xfd7zXZ": "compressed with xz: unpack it first",
        b"PK\x03\x04": "compressed with zip: unpack it first",
        b"#ROSBAG ": "a bag of ROS 1: convert it first (`rosbags-convert`)",
        b"version ": "a Git LFS pointer: fetch the file first (`git lfs pull`)",
    }
)


def messages_of(path: Path) -> Iterator[tuple[Schema | None, Channel, Message]]:
    """Yield the messages of a file in its order, each with its channel, and its type if it has one.

    A file whose writer was killed is read up to its last whole record, also if a crash of the
    machine has left zeros behind it. Raises UserError for a file that is not a recording, or is
    damaged.
    """
    schemas: dict[int, Schema | None] = {0: None}  # a channel without a type names type 0
    channels: dict[int, Channel] = {}
    for record in _records(path):
        if isinstance(record, Message):
            channel = channels.get(record.channel_id)
            if channel is None or channel.schema_id not in schemas:
                raise UserError(f"{path}: a message of a channel or type that is not told of")
            yield schemas[channel.schema_id], channel, record
        elif isinstance(record, Schema):
            if record.id and schemas.setdefault(record.id, record) != record:
                raise UserError(f"{path}: two types with the number {record.id}")
        elif _same(channels.setdefault(record.id, record), record):
            continue
        else:
            raise UserError(f"{path}: two channels with the number {record.id}")


def is_complete(path: Path) -> bool:
    """Return whether the writer has closed the file. Raises UserError."""
    with _opened(path) as source:
        return source.complete()


def unpacked_zstd(data: bytes, limit: int) -> bytes:
    """Unpack `data`, whatever size it claims. Raises ValueError beyond `limit`."""
    unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW_LIMIT)
    unpacked: bytes = unpacker.stream_reader(data).read(limit + 1)
    if len(unpacked) > limit:
        raise ValueError(f"unpacks to more than {limit} bytes")
    return unpacked


def _same(one: Channel, other: Channel) -> bool:
    """Return whether two channels of one number describe their messages equally."""
    return (one.topic, one.message_encoding, one.schema_id) == (
        other.topic,
        other.message_encoding,
        other.schema_id,
    )


@dataclass
class _Source:
    """The bytes of a file, unpacked if it is compressed as a whole.

    size: of the file, infinite if it is known only after unpacking. zeros: where zeros at its end
    begin.
    """

    path: Path
    stream: BinaryIO
    size: float
    zeros: float
    offset: int = 0

    def read(self, count: int) -> bytes:
        """Return the next bytes, fewer at the end of the file."""
        try:
            data = self.stream.read(count)
        except zstandard.ZstdError as error:
            raise UserError(
                f"{self.path}: damaged behind byte {self.offset} of what it unpacks to ({error})"
            ) from None
        self.offset += len(data)
        if math.isinf(self.size) and self.offset > FILE_LIMIT:
            raise UserError(f"{self.path}: expected a file that unpacks to {FILE_LIMIT} bytes")
        return data

    def skip(self, count: int) -> None:
        """Skip the next bytes."""
        if math.isfinite(self.size):
            self.offset = self.stream.seek(count, os.SEEK_CUR)
            return
        while count > 0 and (data := self.read(min(count, BLOCK))):
            count -= len(data)

    def complete(self) -> bool:
        """Return whether the file ends as a closed one does."""
        if math.isfinite(self.size):
            here = self.stream.tell()
            self.stream.seek(max(len(MAGIC), int(self.size) - len(MAGIC)))
            tail = self.stream.read()
            self.stream.seek(here)
            return tail == MAGIC
        tail = b""
        while data := self.read(BLOCK):
            tail = (tail + data)[-len(MAGIC) :]
        return tail == MAGIC


@contextmanager
def _opened(path: Path) -> Iterator[_Source]:
    """Open a file, behind its magic."""
    try:
        stream = open(path, "rb")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    with stream:
        head = stream.read(len(MAGIC))
        if not head:
            raise UserError(f"{path}: an empty file (0 bytes), {EXPECTED}")
        if head.startswith(ZSTD):
            stream.seek(0)
            unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW_LIMIT)
            reader = unpacker.stream_reader(stream, read_across_frames=True)
            source = _Source(path, reader, math.inf, math.inf)
            head = source.read(len(MAGIC))
        else:
            size = os.fstat(stream.fileno()).st_size
            source = _Source(path, stream, size, _zeros(stream, size), len(MAGIC))
            stream.seek(len(MAGIC))
        if head != MAGIC:
            known = [what for begin, what in FOREIGN.items() if head.startswith(begin)]
            raise UserError(f"{path}: {(*known, 'not a recording')[0]}, {EXPECTED}")
        yield source


def _zeros(stream: BinaryIO, size: int) -> int:
    """Return where the zeros at the end of a file begin: `size` if there are none."""
    end = size
    while end > 0:
        start = max(0, end - BLOCK)
        stream.seek(start)
        rest = stream.read(end - start).rstrip(b"\0")
        if rest:
            return start + len(rest)
        end = start
    return 0


def _records(path: Path) -> Iterator[Schema | Channel | Message]:
    """Yield the schemas, channels and messages of a file, up to its last whole record or chunk."""
    with _opened(path) as source:
        while len(head := source.read(RECORD_HEAD.size)) == RECORD_HEAD.size:
            opcode, length = RECORD_HEAD.unpack(head)
            begin = source.offset - len(head)
            end = source.offset + length
            if opcode == Opcode.DATA_END or (opcode == 0 and begin >= source.zeros):
                return
            if end > source.size:
                if source.complete():
                    raise UserError(f"{path}: damaged record at byte {begin} ({length} bytes)")
                return
            if opcode not in _WANTED:
                source.skip(length)
                continue
            # It ends in zeros and more follow: its own end may never have been written.
            torn = source.zeros < end < source.size
            try:
                if length > CHUNK_LIMIT:
                    raise ValueError(f"{length} bytes, expected up to {CHUNK_LIMIT}")
                body = source.read(length)
                if len(body) < length or (torn and opcode != Opcode.CHUNK):
                    return
                yield from _inside(body, torn) if opcode == Opcode.CHUNK else _parsed(opcode, body)
            except UserError:
                raise
            except Exception as error:  # any error that decompressing or parsing may raise
                if end > source.zeros:  # its last part was never written
                    return
                raise UserError(
                    f"{path}: damaged {_WANTED[opcode]} at byte {begin} ({error})"
                ) from error


# Opcode -> its name. 0 is not a kind: it is read to be refused. All others are skipped.
_WANTED = MappingProxyType(
    {
        0: "record",
        int(Opcode.SCHEMA): "schema",
        int(Opcode.CHANNEL): "channel",
        int(Opcode.MESSAGE): "message",
        int(Opcode.CHUNK): "chunk",
    }
)


def _inside(body: bytes, torn: bool) -> Iterator[Schema | Channel | Message]:
    """Yield the schemas, channels and messages of a chunk.

    Raises ValueError for a damaged chunk, and for a torn one that cannot be proved to be whole.
    """
    chunk = Chunk.read(ReadDataStream(BytesIO(body)))
    if torn and not chunk.compression and not chunk.uncompressed_crc:
        raise ValueError("zeros at its end")
    data = _unpacked(chunk)
    position = 0
    while position < len(data):
        opcode, length = RECORD_HEAD.unpack_from(data, position)
        position += RECORD_HEAD.size
        if length > len(data) - position:
            raise ValueError(f"a record of {length} bytes in a chunk of {len(data)}")
        if opcode in _WANTED and opcode != Opcode.CHUNK:
            yield from _parsed(opcode, data[position : position + length])
        position += length


def _parsed(opcode: int, body: bytes) -> Iterator[Schema | Channel | Message]:
    """Yield the record. Additions of later versions of the format at its end are skipped."""
    if opcode == Opcode.MESSAGE:
        channel, sequence, log_time, publish_time = MESSAGE_HEAD.unpack_from(body)
        data = body[MESSAGE_HEAD.size :]
        yield Message(channel, log_time, data, publish_time, sequence)
    elif opcode == Opcode.CHANNEL:
        yield Channel.read(ReadDataStream(BytesIO(body)))
    elif opcode == Opcode.SCHEMA:
        schema = Schema.read(ReadDataStream(BytesIO(body)))
        yield replace(schema, data=schema.data[: SCHEMA_LIMIT + 1])  # one byte more shows excess
    else:
        raise ValueError("a record of kind 0")


def _unpacked(chunk: Chunk) -> bytes:
    """Return the content of the chunk, limited by its real size and not by the size it claims."""
    data: bytes = chunk.data
    if chunk.compression == "zstd":
        data = unpacked_zstd(data, CHUNK_LIMIT)
    elif chunk.compression == "lz4":
        data = lz4.frame.LZ4FrameDecompressor().decompress(data, CHUNK_LIMIT + 1)
        if len(data) > CHUNK_LIMIT:
            raise ValueError(f"unpacks to more than {CHUNK_LIMIT} bytes")
    elif chunk.compression:
        raise ValueError(f"unknown compression '{chunk.compression}'")
    if len(data) != chunk.uncompressed_size:
        raise ValueError(f"unpacks to {len(data)} bytes, not {chunk.uncompressed_size}")
    if chunk.uncompressed_crc and zlib.crc32(data) != chunk.uncompressed_crc:
        raise ValueError("wrong check sum")
    return data
