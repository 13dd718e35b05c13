"""Fields of message types, from the installed classes or from definitions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from ros_mbmrl.data.message_definitions import PRIMITIVES, SEPARATOR, definition
from ros_mbmrl.data.numeric_fields import NAMES
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.sources import Field
from ros_mbmrl.topics import message_class

NUMBERS = frozenset(
    {
        *("double", "float", "boolean", "octet", "byte", "char"),
        *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    }
)
_ARRAY = re.compile(r"sequence<([^,>]+)(?:, *\d+)?>|([^\[]+)\[(\d+)\]")
_FIELD = re.compile(r"([\w/]+)(?:<=\d+)?(\[(<=)?(\d*)\])?")  # in a definition
_OTHER = {"float64": "double", "float32": "float", "bool": "boolean"}  # in a definition -> in ROS


class UnknownType(UserError):
    """Error: no definition of a message type is at hand."""


@lru_cache(maxsize=256)
def fields_of(kind: str) -> Mapping[str, str]:
    """Return the types of a message type's fields by name, as `double`, `sequence<double>`.

    Args:
        kind: as `sensor_msgs/msg/JointState`.

    Raises:
        UnknownType: there is neither a class nor a definition of it.
    """
    try:
        known: Mapping[str, str] = message_class(kind).get_fields_and_field_types()  # type: ignore[attr-defined]
        return known
    except (ImportError, AttributeError, ValueError):
        pass
    try:
        own = definition(kind).split(SEPARATOR)[0]
    except UserError:
        told = "expected one that is installed, or that every ROS 2 has"
        raise UnknownType(f"unknown message type '{kind}': {told}") from None
    return dict(_parsed(own, kind.partition("/")[0]))


def _parsed(text: str, package: str) -> Iterator[tuple[str, str]]:
    """Yield name and type of each field of a `.msg` text, the types as ROS spells them."""
    for line in text.splitlines():
        words = line.split("#", 1)[0].split()
        found = _FIELD.fullmatch(words[0]) if len(words) > 1 else None
        if found is None or "=" in words[1] or words[2:3] and words[2].startswith("="):
            continue  # nothing, or a constant
        inner, array, bound, count = found.groups()
        if inner not in PRIMITIVES and "/" not in inner:
            inner = f"{'std_msgs' if inner == 'Header' else package}/{inner}"
        inner = _OTHER.get(inner, inner)
        if array is not None:
            inner = f"{inner}[{count}]" if count and not bound else f"sequence<{inner}>"
        yield words[1], inner


def element_of(kind: str) -> tuple[str, int | None]:
    """Return the type of an array's elements, and their number; None: as many as there are.

    Raises:
        ValueError: it is no array.
    """
    found = _ARRAY.fullmatch(kind)
    if found is None:
        raise ValueError(f"expected an array, got {kind}")
    return (found[1] or found[2]), (int(found[3]) if found[3] else None)


def full_type(kind: str) -> str:
    """Return `package/msg/Type` of a field's type `package/Type`."""
    return kind.replace("/", "/msg/") if "/msg/" not in kind else kind


def number_type(path: Field, kind: str) -> str:
    """Return the type of the number that a path into a message leads to.

    Args:
        path: from outside inwards.
        kind: type of the message.

    Raises:
        ValueError: it does not lead to a number; the text says from where on.
        UnknownType: see `fields_of`.
    """
    at, way = kind, f"{kind}"
    for part in (*path.way, *([0] if path.joint else [])):
        if isinstance(part, int):
            try:
                element, count = element_of(at)
            except ValueError:
                raise ValueError(f"'{path}': {way} is no array, it is {at}") from None
            if count is not None and part >= count:
                raise ValueError(f"'{path}': {way} has {count} elements")
            at = element
        else:
            at = _inner(at, part, path)
        way = str(part) if isinstance(part, str) else way
    if at not in NUMBERS:
        raise ValueError(f"'{path}' is no number, it is {at}")
    if path.joint and not any(name in fields_of(kind) for name in NAMES):
        raise ValueError(f"'{path}': {kind} names no joints: expected an index, as [0]")
    return at


def _inner(kind: str, name: str, path: Field) -> str:
    if "/" not in kind or kind.endswith(("]", ">")):
        raise ValueError(f"'{path}': '{name}' is in {kind}, which has no fields")
    known = fields_of(full_type(kind))
    if name not in known:
        told = ", ".join(known)
        raise ValueError(f"'{path}': {full_type(kind)} has no '{name}': expected one of {told}")
    return known[name]
