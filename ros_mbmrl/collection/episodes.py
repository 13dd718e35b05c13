"""Episodes: stretches of a drive that are kept, what they are of, and how much there is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType


@dataclass(frozen=True)
class Event:
    """Something happened to an episode.

    kind: start, stop or discard. index: of the episode, from 1. time: stamp [s] of the state at
    which the episode starts or ends. sources: who drove.
    """

    kind: str
    index: int
    terrain: str
    sources: tuple[str, ...]
    time: float


@dataclass(frozen=True)
class Episode:
    """began, ended: stamps of its first and its newest or last state [s]."""

    index: int
    terrain: str
    sources: tuple[str, ...]
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.ended - self.began

    def event(self, kind: str) -> Event:
        """What has just happened to it."""
        time = self.began if kind == "start" else self.ended
        return Event(kind, self.index, self.terrain, self.sources, time)


@dataclass(frozen=True)
class Tally:
    """What is kept of a terrain."""

    episodes: int = 0
    seconds: float = 0.0


class Episodes:
    """At most one runs at a time. A discarded one adds nothing."""

    def __init__(self) -> None:
        self.running: Episode | None = None
        self.discarded = 0
        self._last: Episode | None = None  # the newest that was kept
        self._count = 0
        self._kept: dict[str, tuple[Episode, ...]] = {}

    @property
    def tallies(self) -> Mapping[str, Tally]:
        """What is kept, by terrain; without the running one."""
        return MappingProxyType(
            {
                terrain: Tally(len(kept), math.fsum(episode.seconds for episode in kept))
                for terrain, kept in self._kept.items()
            }
        )

    def start(self, terrain: str, source: str, time: float) -> tuple[Event, ...]:
        """One starts at the state stamped `time` [s]."""
        self._count += 1
        self.running = Episode(self._count, terrain, (source,), time, time)
        return (self.running.event("start"),)

    def advance(self, time: float) -> None:
        """Another state has come."""
        if self.running is not None:
            self.running = replace(self.running, ended=time)

    def driven_by(self, source: str) -> None:
        """Who has just proposed a command."""
        running = self.running
        if running is not None and source not in running.sources:
            self.running = replace(running, sources=(*running.sources, source))

    def stop(self) -> tuple[Event, ...]:
        """The running one ends at its newest state, and is kept."""
        episode, self.running = self.running, None
        if episode is None:
            return ()
        self._last = episode
        self._kept[episode.terrain] = (*self._kept.get(episode.terrain, ()), episode)
        return (episode.event("stop"),)

    def discard(self) -> tuple[Event, ...]:
        """The running one ends and is not kept; or else the last one is not, after all."""
        episode, self.running = self.running or self._last, None
        if episode is None:
            return ()
        if episode is self._last:
            self._last = None
            kept = self._kept[episode.terrain]
            self._kept[episode.terrain] = tuple(each for each in kept if each is not episode)
        self.discarded += 1
        return (episode.event("discard"),)
