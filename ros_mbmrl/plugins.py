"""Registries: what is built in under a name, and what other packages add by entry points."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoints, entry_points
from typing import Any, TypeVar

from ros_mbmrl.errors import UserError

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """An entry point of an installed package.

    Args:
        name: what it is called.
        value: `module` or `module:object`.
        package: which package it belongs to.
        version: of that package.
    """

    name: str
    value: str
    package: str
    version: str

    def __str__(self) -> str:
        return f"{self.package} {self.version} ({self.value})"


def entries(group: str) -> dict[str, tuple[Entry, ...]]:
    """Return who claims each name in the group `ros_mbmrl.<group>`; nothing is imported."""
    found: dict[str, tuple[Entry, ...]] = {}
    for point in _installed(tuple(sys.path))(group=f"ros_mbmrl.{group}"):
        facts = ("", "") if point.dist is None else (point.dist.name, point.dist.version)
        entry = Entry(point.name, point.value, *facts)
        found[point.name] = (*found.get(point.name, ()), entry)
    return found


@cache
def _installed(path: tuple[str, ...]) -> Callable[..., EntryPoints]:
    """Return the choice among the entry points on `path`: searched once, not by each registry."""
    return entry_points().select


class Registry(MutableMapping[str, T]):
    """Things of one kind by name; a name that is claimed twice is refused when it is asked for.

    Args:
        kind: what they are, for messages.
        group: of the entry points, without `ros_mbmrl.`.
        built_in: those of this package.
        outside: makes one of an entry point, whose module is not imported before.
        files: returns those that files describe, asked each time: they become known at run time.
    """

    def __init__(
        self,
        kind: str,
        group: str,
        built_in: Mapping[str, T],
        outside: Callable[[Entry], T],
        files: Callable[[], Mapping[str, T]] = dict,
    ) -> None:
        self._kind, self._outside, self._files = kind, outside, files
        self._built_in, self._entries = dict(built_in), entries(group)

    def entry(self, name: str) -> Entry | None:
        """Return the entry point called `name`, or None for what is built in or not known.

        Raises:
            UserError: several packages claim the name, or it is a built-in one, too.
        """
        claims = self._entries.get(name, ())
        owners = ["ros_mbmrl"] if name in self._built_in and claims else []
        owners += map(str, claims)
        if len(owners) > 1:
            raise UserError(
                f"{self._kind} '{name}' is claimed by {' and by '.join(owners)}: "
                "expected one of them"
            )
        return claims[0] if claims else None

    def is_code(self, name: str) -> bool:
        """Return whether it is built in or of an entry point, and not of a file."""
        return name in self._built_in or name in self._entries

    def __getitem__(self, name: str) -> T:
        if not self.is_code(name):
            return self._files()[name]
        entry = self.entry(name)
        return self._built_in[name] if entry is None else self._outside(entry)

    def __setitem__(self, name: str, value: T) -> None:
        self._built_in[name] = value

    def __delitem__(self, name: str) -> None:
        del self._built_in[name]

    def __contains__(self, name: object) -> bool:  # without importing it
        return name in self._built_in or name in self._entries or name in self._files()

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._built_in, *self._entries, *self._files())))

    def __len__(self) -> int:
        return len(list(iter(self)))


def imported(value: str) -> Any:
    """Return the module or object that `module` or `module:name` stands for.

    Raises:
        UserError: it cannot be imported, for whatever reason.
    """
    module, _, name = value.partition(":")
    try:
        found = import_module(module)
        return getattr(found, name) if name else found
    except Exception as error:  # the code of others
        raise UserError(f"entry point '{value}': {_told(error)}") from error


def expected(value: str, kind: str, fits: bool, got: object) -> None:
    """Refuse what an entry point stands for unless it fits.

    Raises:
        UserError: it does not; the message says what was expected and the type of `got`.
    """
    if not fits:
        raise UserError(f"entry point '{value}': expected {kind}, got a {type(got).__name__}")


def _told(error: Exception) -> str:
    if isinstance(error, (ImportError, AttributeError, UserError)):
        return str(error)
    return f"{type(error).__name__}: {error}"
