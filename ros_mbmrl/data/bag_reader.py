"""Reader of bags of every storage of `ros2 bag`: MCAP and SQLite, one file or several.

What a file is, its content says and not its name. Files that are compressed as a whole are
unpacked: MCAP while it is read, SQLite into a temporary file. Messages come one at a time, so that
memory does not grow with the bag.

SQLite is read by `rosbags`. MCAP is read by `mcap_records`, which also reads a file whose recorder
was killed; `rosbags` refuses it.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import zstandard
from mcap.records import Channel, Message, Schema
from mcap.well_known import MessageEncoding, SchemaEncoding

from ros_mbmrl.data import mcap_records
from ros_mbmrl.data.bag import METADATA
from ros_mbmrl.data.mcap_records import BLOCK, FILE_LIMIT, SCHEMA_LIMIT, WINDOW_LIMIT, ZSTD
from ros_mbmrl.data.message_definitions import definition, from_idl
from ros_mbmrl.errors import UserError
from ros_mbmrl.untrusted import read_yaml

if TYPE_CHECKING:
    from rosbags.interfaces import Connection

SQLITE = b"SQLite format 3\0"
IDL = ("ros2idl", "omgidl")
JOURNALS = ("-wal", "-journal")  # endings of what SQLite has not yet written into the file

Typed = tuple[Schema | None, Channel, Message]


def messages_of(path: Path, topics: Collection[str] | None = None) -> Iterator[Typed]:
    """Yield the messages of a bag in its order, each with its channel, and its type if it has one.

    Numbers of types and channels are those of one file; other files of the bag use them anew.

    Args:
        path: file, or folder of a bag in several files.
        topics: whose messages are given out; None: all. SQLite does not read those of others.

    Raises:
        UserError: not a bag, or damaged. What was before the damage has been given out.
    """
    converted: dict[tuple[str, bytes], Schema] = {}
    for file in files_of(path):
        sqlite = _is_sqlite(file)
        read = _sqlite_messages(file, topics) if sqlite else mcap_records.messages_of(file)
        for schema, channel, message in read:
            if topics is not None and channel.topic not in topics:
                continue
            if schema is not None and schema.encoding in IDL:
                key = schema.name, schema.data
                if key not in converted:
                    converted[key] = _as_msg(schema)
                schema = replace(converted[key], id=schema.id)
            yield schema, channel, message


def is_complete(path: Path) -> bool:
    """Return whether the bag's recorder has closed it. Raises UserError."""
    files = files_of(path)
    for file in files:
        if not _is_sqlite(file):
            if not mcap_records.is_complete(file):
                return False
        elif any(_size(file.with_name(file.name + ending)) for ending in JOURNALS):
            return False
    return True


def size_of(path: Path) -> int:
    """Return the bytes of a bag's files."""
    return sum(_size(file) for file in files_of(path))


def files_of(path: Path) -> list[Path]:
    """Return the files of a bag in their order: the path itself unless it is a folder.

    Raises UserError for a folder without `metadata.yaml`, or of which a file is missing.
    """
    if not path.is_dir():
        return [path]
    names = parts_of(path)
    if not names:
        raise UserError(f"{path}: a folder, expected a bag's file, or a folder with {METADATA}")
    missing = [name for name in names if not (path / name).is_file()]
    if missing:
        raise UserError(f"{path}: {missing[0]} is missing, which {METADATA} lists")
    return [path / name for name in names]


def parts_of(folder: Path) -> list[str]:
    """Return the names of a bag's files as its `metadata.yaml` lists them; empty without one."""
    if not (folder / METADATA).is_file():
        return []
    with suppress(UserError, LookupError, TypeError):
        names = read_yaml(folder / METADATA)["rosbag2_bagfile_information"]["relative_file_paths"]
        return [Path(str(name)).name for name in names]
    return []


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _as_msg(schema: Schema) -> Schema:
    """Return a type defined in IDL as one defined in `.msg`; as it is if it cannot be."""
    if len(schema.data) > SCHEMA_LIMIT:
        return schema
    with suppress(UserError, UnicodeDecodeError):
        text = from_idl(schema.name, schema.data.decode())
        return Schema(schema.id, text.encode(), SchemaEncoding.ROS2, schema.name)
    return schema


def _is_sqlite(file: Path) -> bool:
    """Return whether a file holds a database of SQLite, compressed or not. Raises UserError."""
    try:
        with open(file, "rb") as stream:
            head = stream.read(len(SQLITE))
            if head.startswith(ZSTD):
                stream.seek(0)
                unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW_LIMIT)
                head = unpacker.stream_reader(stream).read(len(SQLITE))
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror})") from error
    except zstandard.ZstdError:
        return False  # the reader of MCAP tells where it is damaged
    return head == SQLITE


def _sqlite_messages(file: Path, topics: Collection[str] | None) -> Iterator[Typed]:
    from rosbags.rosbag2 import Reader

    with _plain(file) as database:
        try:
            with Reader(database) as reader:
                chosen = [c for c in reader.connections if topics is None or c.topic in topics]
                told = {each.id: _described(each) for each in chosen}
                for connection, time_ns, data in reader.messages(chosen) if chosen else ():
                    schema, channel = told[connection.id]
                    yield schema, channel, Message(channel.id, time_ns, data, time_ns, 0)
        except (UserError, GeneratorExit):
            raise
        except Exception as error:  # any error that SQLite or rosbags may raise
            said = " ".join(str(error).split()).replace(str(database), file.name)[:200]
            raise UserError(f"{file}: damaged or not a bag of SQLite ({said})") from None


def _described(connection: Connection) -> tuple[Schema, Channel]:
    """Return type and channel of a topic; old bags hold no definitions, so installed ones count."""
    name, told = connection.msgtype, connection.msgdef
    encoding, text = told.format.name, told.data
    kinds = {"MSG": SchemaEncoding.ROS2, "IDL": IDL[0]}
    if encoding not in kinds:
        with suppress(UserError):
            encoding, text = "MSG", definition(name)
    schema = Schema(connection.id, text.encode(), kinds.get(encoding, ""), name)
    form = getattr(connection.ext, "serialization_format", MessageEncoding.CDR)
    return schema, Channel(connection.id, connection.topic, form, {}, connection.id)


@contextmanager
def _plain(file: Path) -> Iterator[Path]:
    """Give a database under a name that SQLite takes, unpacked if it is compressed.

    A link: a path with `?`, `#` or `%` in it would mean something else to SQLite.
    """
    with TemporaryDirectory(prefix="mbmrl-bag-") as folder:
        plain = Path(folder, "bag.db3")
        with open(file, "rb") as stream:
            packed = stream.read(len(ZSTD)) == ZSTD
        try:
            if packed:
                _unpack(file, plain)
            else:
                plain.symlink_to(file.resolve())
        except (OSError, zstandard.ZstdError) as error:
            raise UserError(f"{file}: cannot be unpacked ({error})") from None
        yield plain


def _unpack(file: Path, plain: Path) -> None:
    """Unpack a compressed file. Raises UserError beyond the limit or the space on the disk."""
    limit = min(FILE_LIMIT, shutil.disk_usage(plain.parent).free)
    unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW_LIMIT)
    with open(file, "rb") as stream, open(plain, "wb") as out:
        reader = unpacker.stream_reader(stream, read_across_frames=True)
        while block := reader.read(BLOCK):
            if out.tell() + len(block) > limit:
                raise UserError(f"{file}: expected a file that unpacks to {limit} bytes")
            out.write(block)
