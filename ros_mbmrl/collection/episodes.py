"""Episodes: kept stretches of a drive, their terrain and drivers, and their total per terrain."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType


@dataclass(frozen=True)
class Event:
    """An event of an episode.

    Args:
        kind: start, stop or discard.
        index: of the episode, from 1.
        terrain: of the episode.
        sources: who drove.
        time: stamp of the state at which the episode starts or ends [s].
    """

    kind: str
    index: int
    terrain: str
    sources: tuple[str, ...]
    time: float


@dataclass(frozen=True)
class Episode:
    """An episode; began, ended: stamps of its first and its newest or last state [s]."""

    index: int
    terrain: str
    sources: tuple[str, ...]
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        """Return its length [s]."""
        return self.ended - self.began

    def event(self, kind: str) -> Event:
        """Return the event of the given kind."""
        time = self.began if kind == "start" else self.ended
        return Event(kind, self.index, self.terrain, self.sources, time)


@dataclass(frozen=True)
class Tally:
    """Total of the kept episodes of a terrain."""

    episodes: int = 0
    seconds: float = 0.0


class Episodes:
    """All episodes of a session, of which at most one runs. A discarded one adds nothing."""

    def __init__(self) -> None:
        self.running: Episode | None = None
        self.discarded = 0
        self._last: Episode | None = None  # the newest that was kept
        self._count = 0
        self._kept: dict[str, tuple[Episode, ...]] = {}

    @property
    def tallies(self) -> Mapping[str, Tally]:
        """Return the total kept per terrain, without the running episode."""
        return MappingProxyType(
            {
                terrain: Tally(len(kept), math.fsum(episode.seconds for episode in kept))
                for terrain, kept in self._kept.items()
            }
        )

    def start(self, terrain: str, source: str, time: float) -> tuple[Event, ...]:
        """Start an episode at the state stamped `time` [s]."""
        self._count += 1
        self.running = Episode(self._count, terrain, (source,), time, time)
        return (self.running.event("start"),)

    def advance(self, time: float) -> None:
        """Record that another state has come."""
        if self.running is not None:
            self.running = replace(self.running, ended=time)

    def driven_by(self, source: str) -> None:
        """Record who has just proposed a command."""
        running = self.running
        if running is not None and source not in running.sources:
            self.running = replace(running, sources=(*running.sources, source))

    def stop(self) -> tuple[Event, ...]:
        """End the running episode at its newest state, and keep it."""
        episode, self.running = self.running, None
        if episode is None:
            return ()
        self._last = episode
        self._kept[episode.terrain] = (*self._kept.get(episode.terrain, ()), episode)
        return (episode.event("stop"),)

    def discard(self) -> tuple[Event, ...]:
        """Discard the running episode, or else the last one that was kept."""
        episode, self.running = self.running or self._last, None
        if episode is None:
            return ()
        if episode is self._last:
            self._last = None
            kept = self._kept[episode.terrain]
            self._kept[episode.terrain] = tuple(each for each in kept if each is not episode)
        self.discarded += 1
        return (episode.event("discard"),)
