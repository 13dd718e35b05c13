"""Follows the versions of a model or a policy that arrive while a robot works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


class Versions(Protocol):
    """Source of numbered versions, each in a folder; older ones may be removed at any time."""

    def latest(self) -> int | None:
        """Return the newest version; None: there is none yet."""

    def path(self, version: int) -> Path:
        """Return the folder of a version."""


@dataclass(frozen=True)
class Version(Generic[T]):
    """A version that was loaded, and its number."""

    number: int
    content: T


class Follower(Generic[T]):
    """Loads newer versions in one thread, for another one that takes them over when it can.

    Nobody waits: `take` gives what `look` has finished loading, the newest alone.

    Args:
        versions: that are followed.
        load: reads the folder of a version; raises for one that cannot be used.
        tell: is given a line for each version that is refused; the one before it stays.
    """

    def __init__(
        self, versions: Versions, load: Callable[[Path], T], tell: Callable[[str], None]
    ) -> None:
        self._versions, self._load, self._tell = versions, load, tell
        self._seen: int | None = None  # loaded or refused
        self._loaded: Version[T] | None = None  # set by `look`, read by `take`, in one step each
        self._taken: int | None = None

    def look(self) -> None:
        """Load the newest version, if it is a new one. Called by the thread that loads."""
        newest = self._versions.latest()
        if newest is None or (self._seen is not None and newest <= self._seen):
            return
        folder = self._versions.path(newest)
        try:
            content = self._load(folder)
        except Exception as error:  # noqa: BLE001 (whatever it is: the one before it is well)
            if folder.is_dir():  # else it was removed, and there is a newer one
                self._seen = newest
                self._tell(f"version {newest} is refused, and the one before it stays: {error}")
            return
        self._seen, self._loaded = newest, Version(newest, content)

    def take(self) -> Version[T] | None:
        """Return a version that has been loaded since the last call. Called by who acts."""
        found = self._loaded
        if found is None or found.number == self._taken:
            return None
        self._taken = found.number
        return found
