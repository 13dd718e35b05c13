"""Readers of files from others: nothing in them is run, and sizes are bounded beforehand.

YAML is plain data, without aliases: nine lines of them can expand to a billion words. Arrays are
plain, without pickled objects, and as large as the file holds, not as its head claims.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from io import StringIO
from math import prod
from pathlib import Path
from typing import Any

import yaml
from numpy.lib import format as npy
from numpy.typing import NDArray
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from ros_mbmrl.errors import UserError

YAML_LIMIT = 4 << 20  # [bytes]
POINTER = "a Git LFS pointer, not the file itself: expected the file, as `git lfs pull` fetches it"
SCALAR_LIMIT = 100  # characters of a number or a date
OBJECTS = "texts (`array.astype(str)`) or numbers"
ARRAYS_LIMIT = 1 << 30  # [bytes] of all arrays of a file, unpacked


# Numbers in YAML 1.2, in ROS and for people, but texts in YAML 1.1: 1e-4, 2.5e3, .5E+6.
_FLOAT = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$")
_FLOAT_STARTS = list("-+.0123456789")
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


if yaml.__with_libyaml__:  # six times as fast; what it finds goes through the same checks
    from yaml._yaml import CParser

    class _SafeLoader(Composer, CParser, SafeConstructor, Resolver):
        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            for part in (Composer, SafeConstructor, Resolver):
                part.__init__(self)

else:
    _SafeLoader = yaml.SafeLoader  # type: ignore[assignment,misc]


class _PlainLoader(_SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            where: Any = self.get_event()
            raise yaml.MarkedYAMLError(problem="an alias", problem_mark=where.start_mark)
        return super().compose_node(parent, index)

    def compose_scalar_node(self, anchor: Any) -> Any:
        node = super().compose_scalar_node(anchor)
        if not node.tag.endswith(":str") and len(node.value) > SCALAR_LIMIT:
            raise yaml.MarkedYAMLError(problem="a long number", problem_mark=node.start_mark)
        return node


class _PlainDumper(yaml.SafeDumper):
    """Dumper that quotes the texts that `_PlainLoader` would read as numbers."""


for _each in (_PlainLoader, _PlainDumper):
    _each.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, _FLOAT_STARTS)


def dump_yaml(value: Any, width: int = 80) -> str:
    """Return plain data as YAML that `parse_yaml` reads back as the same."""
    text = StringIO()
    dumper = _PlainDumper(text, sort_keys=False, width=width)
    dumper.open()
    dumper.represent(value)
    dumper.close()
    return text.getvalue()


def parse_yaml(text: str) -> Any:
    """Parse plain data: mappings, lists, texts, numbers. Raises UserError, with one line."""
    return _told(lambda: _PlainLoader(text).get_single_data())


def compose_yaml(text: str) -> tuple[yaml.Node | None, Callable[[yaml.Node], Any]]:
    """Return the tree of plain data, whose nodes know their lines, and what makes values of it.

    Raises:
        UserError: it is not plain data; one line.
    """
    loader = _told(lambda: _PlainLoader(text))
    return _told(loader.get_single_node), lambda node: _told(lambda: loader.construct_object(node))


def _told(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Exception as error:  # PyYAML does not catch what its constructors raise
        said = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"not plain YAML ({said[:200]})") from None


def read_yaml(path: Path) -> Any:
    """Read the plain data in a file. Raises UserError, with one line that names the file."""
    try:
        return parse_yaml(read_bytes(path, YAML_LIMIT).decode())
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 ({error})") from None
    except UserError as error:
        said = str(error)
        raise UserError(said if said.startswith(f"{path}:") else f"{path}: {said}") from None


def read_bytes(path: Path, limit: int) -> bytes:
    """Read a file of up to `limit` bytes. Raises UserError."""
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    if len(data) > limit:
        raise UserError(f"{path}: expected a file of up to {limit} bytes")
    if data.startswith(_LFS_POINTER):
        raise UserError(f"{path}: {POINTER}")
    return data


def refuse_pointer(path: Path) -> None:
    """Raise UserError for a Git LFS pointer in place of a file; ignore other problems."""
    with suppress(OSError), path.open("rb") as stream:
        if stream.read(len(_LFS_POINTER)) == _LFS_POINTER:
            raise UserError(f"{path}: {POINTER}")


def read_arrays(path: Path, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Read those arrays of an npz file that are in `names`. Raises UserError."""
    refuse_pointer(path)
    try:
        with zipfile.ZipFile(path) as archive:
            wanted = {f"{name}.npy": name for name in names}
            members = [each for each in archive.infolist() if each.filename in wanted]
            size = sum(each.file_size for each in members)
            if size > ARRAYS_LIMIT:
                raise ValueError(f"{size} bytes unpacked, expected up to {ARRAYS_LIMIT}")
            return {wanted[each.filename]: _array(archive, each) for each in members}
    except Exception as error:  # any error that unpacking or parsing may raise
        said = " ".join(str(error).split())[:200]
        raise UserError(f"{path}: not a readable npz of plain arrays ({said})") from None


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """Read an array after a check of its claimed shape, for which NumPy would allocate memory."""
    with archive.open(member) as stream:
        version = npy.read_magic(stream)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
        if read is None:
            raise ValueError(
                f"{member.filename}: version {version} of npy, expected (1, 0), (2, 0)"
            )
        shape, _, dtype = read(stream)
        if dtype.hasobject:
            raise ValueError(f"{member.filename}: objects, expected {OBJECTS}")
        claimed, held = prod(shape) * dtype.itemsize, member.file_size - stream.tell()
    if claimed != held:
        raise ValueError(f"{member.filename}: claims {claimed} bytes, holds {held}")
    with archive.open(member) as stream:
        array: NDArray[Any] = npy.read_array(stream, allow_pickle=False)
    return array
