"""Message definitions for recordings, found without importing any middleware.

Installed definitions come first; those of ROS 2's common packages come with `rosbags` as data, for
machines without ROS. Nothing that a bag defines is given to `rosbags`' type stores: they compile
Python code from definitions and run it.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from rosbags.typesys import Stores, get_types_from_idl, get_typestore
from rosbags.typesys.store import Typestore

from ros_mbmrl.errors import UserError

SEPARATOR = "=" * 80
PRIMITIVES = frozenset(
    {
        *("bool", "byte", "char", "string", "wstring", "float32", "float64"),
        *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    }
)


def definition(type_name: str) -> str:
    """Return the `.msg` text of `package/msg/Type`, then of every type in it (`ros2msg` encoding).

    Raises UserError for a type without an installed definition.
    """
    package, name = _parted(type_name)
    texts: dict[tuple[str, str], str] = {}
    waiting = [(package, name)]
    while waiting:
        key = waiting.pop(0)
        if key not in texts:
            texts[key] = _read(*key)
            waiting += [part for part in _parts(key[0], texts[key]) if part not in texts]
    head, *rest = texts.items()
    blocks = [head[1]]
    blocks += [f"{SEPARATOR}\nMSG: {pkg}/{kind}\n{text}" for (pkg, kind), text in rest]
    return "\n".join(block.rstrip("\n") for block in blocks) + "\n"


def from_idl(type_name: str, text: str) -> str:
    """Return the definition (`ros2msg`) of a type that is defined in IDL, with the types in it.

    Args:
        type_name: as `package/msg/Type`.
        text: IDL of it, alone or followed by the others', as bags hold it.

    Raises:
        UserError: the text does not define the type.
    """
    store = Typestore()  # its fields are set, not registered: that would run generated code
    try:
        parts = re.split(rf"^{SEPARATOR}\nIDL: .*\n", text, flags=re.MULTILINE)
        for part in parts if len(parts) == 1 else parts[1:]:
            store.fielddefs.update(get_types_from_idl(part))
        package, name = _parted(type_name)
        return store.generate_msgdef(f"{package}/msg/{name}", ros_version=2)[0]
    except UserError:
        raise
    except Exception as error:  # any error that parsing may raise
        said = " ".join(str(error).split())[:200]
        raise UserError(f"{type_name}: not defined by its IDL ({said})") from None


def share_folders(package: str) -> Iterator[Path]:
    """Yield folders `share/<package>` that may exist: of a distribution first, then of wheels."""
    prefixes = [Path(p) for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    prefixes += [Path(sysconfig.get_path("data")), Path(sys.prefix), Path(sys.base_prefix)]
    found = find_spec(package)
    if found is not None and found.origin:
        # In a user's or a target folder's site-packages, the prefix is some levels up.
        prefixes += list(Path(found.origin).parents)[1:6]
    for prefix in prefixes:
        yield prefix / "share" / package


def _parted(type_name: str) -> tuple[str, str]:
    match = re.fullmatch(r"(\w+)/(?:msg/)?(\w+)", type_name)
    if match is None:
        raise UserError(f"'{type_name}' is not a message type, expected package/msg/Type")
    return match[1], match[2]


def _read(package: str, name: str) -> str:
    for folder in share_folders(package):
        file = folder / "msg" / f"{name}.msg"
        if file.is_file():
            return file.read_text(encoding="utf-8")
    store, known = get_typestore(Stores.LATEST), f"{package}/msg/{name}"
    if known in store.fielddefs:
        return store.gendefhash(known, {}, ros_version=2)[0]
    raise UserError(
        f"no definition of {package}/msg/{name}: expected it under share/ of a ROS 2 "
        f"distribution or of the 'ros' extra's wheels"
    )


def _parts(package: str, text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        kind = re.split(r"[\[<]", words[0], maxsplit=1)[0]  # without array size or bound
        if kind in PRIMITIVES:
            continue
        *owner, name = kind.split("/")
        yield (owner[0] if owner else package), name
