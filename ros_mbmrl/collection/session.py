"""Session: who drives, and which stretches of the drive are episodes. A pure state machine.

A session only proposes: the safety monitor is always between it and the robot.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ros_mbmrl.collection.episodes import Episodes, Event
from ros_mbmrl.collection.requests import Kind, Request
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.safety import fence

RANDOM = "random"
LONGEST_GAP = 10  # periods without a state, after which an episode ends
NEARBY = 0.25  # part of the way between the arena's fence and its middle

# The command that a source wants now (da,); None: it is released.
Source = Callable[[], "Array | None"]


@dataclass(frozen=True)
class SessionConfig:
    """Settings of a session.

    Args:
        terrains: names for the keys 1 to 9; the first is chosen at the start.
        source: who drives at the start.
        episode_seconds: length after which an episode stops by itself [s]; 0: only on request.
        automatic: the first episode starts by itself, and another after each complete one.
        return_seconds: after which a walk to the middle is given up [s].
    """

    terrains: tuple[str, ...] = ("unknown",)
    source: str = RANDOM
    episode_seconds: float = 30.0
    automatic: bool = False
    return_seconds: float = 60.0

    def __post_init__(self) -> None:
        words = all(re.fullmatch(r"[\w.-]+", name) for name in self.terrains)
        different = len(set(self.terrains)) == len(self.terrains)
        if not (1 <= len(self.terrains) <= 9 and words and different):
            raise ValueError(f"tags: expected 1 to 9 different words, got {list(self.terrains)}")
        if not 0 <= self.episode_seconds < math.inf:
            raise ValueError(f"episode_seconds: expected 0 or more, got {self.episode_seconds:g}")
        if not self.return_seconds > 0:
            raise ValueError(f"return_seconds: expected above 0, got {self.return_seconds:g}")


@dataclass(frozen=True)
class Turn:
    """Result of a step; action: the proposal (da,), None: nobody drives."""

    action: Array | None
    events: tuple[Event, ...] = ()


class Session:
    """State machine that proposes commands, and opens and closes episodes.

    After a release it proposes one stand-still, then nothing.

    Args:
        sources: by name; the one called `random` drives within episodes only.
        permit: returns whether the robot may move on its own (random, return); with a joystick as
            the only device its dead-man button decides.
    """

    def __init__(
        self,
        robot: Robot,
        sources: Mapping[str, Source],
        config: SessionConfig,
        permit: Callable[[], bool] = lambda: True,
    ) -> None:
        if config.source not in sources:
            raise ValueError(f"source: expected one of {list(sources)}, got '{config.source}'")
        self._robot, self._sources, self._config = robot, sources, config
        self._permit = permit
        spec = robot.spec
        self._stand: Array = spec.rest
        self._middle = fence.centre(spec.envelope)
        self._way = fence.inside(spec.envelope, *self._middle) - spec.envelope.margin
        self.source = config.source
        self.terrain = config.terrains[0]
        self.episodes = Episodes()
        self._time = math.nan  # stamp of the newest state
        self._state: Array | None = None
        self._due = config.automatic  # an episode starts as soon as possible
        self._return_until: float | None = None
        self._halted = False
        self._driving = True  # so that the first proposal is a stand-still

    @property
    def returning(self) -> bool:
        """Return whether the robot is going to the middle of the arena."""
        return self._return_until is not None

    @property
    def waiting(self) -> bool:
        """Return whether there is no episode and none will start by itself."""
        return self.episodes.running is None and not self._due

    def request(self, request: Request) -> tuple[Event, ...]:
        """Execute an operator's request, except a reset of the safety monitor."""
        kind, running = request.kind, self.episodes.running is not None
        if kind is Kind.TERRAIN:
            self._choose_terrain(request.which)
        elif kind is Kind.SOURCE:
            names = list(self._sources)
            self.source = names[(names.index(self.source) + 1) % len(names)]
            self._halted = False
        elif kind is Kind.EPISODE and not running:
            self._due, self._halted, self._return_until = True, False, None
        elif kind in (Kind.EPISODE, Kind.MIDDLE):
            self._due = self._halted = False
            self._return_if(kind is Kind.MIDDLE or self._near_edge())
            return self.episodes.stop()
        elif kind is Kind.DISCARD:
            self._due = False
            return self.episodes.discard()
        elif kind is Kind.HALT:
            self._halted = True
            return self.interrupt()
        return ()

    def step(self, time: float, state: Array, stopped: bool = False) -> Turn:
        """Answer the state (ds,) measured at `time` [s] with a proposal.

        stopped: a stop of the safety monitor is latched, which ended the episode.
        """
        events: tuple[Event, ...] = ()
        if stopped:
            events += self.interrupt()
        elif not self._goes_on(time):
            events += self.episodes.stop()
        self._time, self._state = time, state
        self.episodes.advance(time)
        if self._complete():
            events += self.episodes.stop()
            self._due = self._config.automatic
            self._return_if(self._near_edge())
        if self._return_until is not None and (time > self._return_until or self._arrived()):
            self._return_until = None
        if self._due and not self.returning:
            self._due = False
            events += self.episodes.start(self.terrain, self.source, time)
        return Turn(self._released(None if stopped else self._wanted()), events)

    def interrupt(self) -> tuple[Event, ...]:
        """End an episode at its newest state: the robot must stand, or the session is over."""
        self._due, self._return_until = False, None
        return self.episodes.stop()

    def _wanted(self) -> Array | None:
        manual = None if self.source == RANDOM else self._sources[self.source]()
        if self._halted:
            self._halted = manual is not None  # until it is released
            return None
        if self.returning:
            if manual is None or np.array_equal(manual, self._stand):
                assert self._state is not None
                return self._robot.retreat(self._state, self._middle) if self._permit() else None
            self._return_until = None  # the operator takes over
        if self.source == RANDOM:
            drives = self.episodes.running is not None and self._permit()
            return self._sources[RANDOM]() if drives else None
        return manual

    def _released(self, wanted: Array | None) -> Array | None:
        """Return one stand-still after a release, then nothing."""
        driving, self._driving = self._driving, wanted is not None
        if wanted is None:
            return self._stand.copy() if driving else None
        self.episodes.driven_by(self.source)
        return wanted

    def _choose_terrain(self, which: int) -> None:
        names = self._config.terrains
        if which == 0:
            self.terrain = names[(names.index(self.terrain) + 1) % len(names)]
        elif which <= len(names):
            self.terrain = names[which - 1]

    def _goes_on(self, time: float) -> bool:
        """Return whether the plant's states continue: no long silence, no restart of its clock."""
        gap = LONGEST_GAP * self._robot.spec.period
        return math.isnan(self._time) or 0 <= time - self._time <= gap

    def _complete(self) -> bool:
        length, running = self._config.episode_seconds, self.episodes.running
        return length > 0 and running is not None and running.seconds >= length - 1e-9

    def _return_if(self, wanted: bool) -> None:
        if wanted and math.isfinite(self._way) and self._state is not None:
            self._return_until = self._time + self._config.return_seconds

    def _near_edge(self) -> bool:
        pose = None if self._state is None else self._robot.pose(self._state)
        if pose is None or not math.isfinite(self._way):
            return False
        envelope = self._robot.spec.envelope
        return fence.inside(envelope, *pose[:2]) < envelope.margin + NEARBY * self._way

    def _arrived(self) -> bool:
        """Return whether the robot is near the middle, or stays in place anyway."""
        pose = None if self._state is None else self._robot.pose(self._state)
        return pose is None or math.dist(pose[:2], self._middle) <= NEARBY * self._way
