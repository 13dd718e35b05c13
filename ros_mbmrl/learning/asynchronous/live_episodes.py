"""Trajectories of a robot that is driven by a running graph (Algorithm 6 on a real robot).

The messages of an episode are joined as those of a recording are (`data/step_reader.py`), so that a
trajectory holds what acted: commands after the safety monitor, shifted by their delay.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ros_mbmrl.collection.episodes import Event
from ros_mbmrl.data.from_recording import rollouts_of
from ros_mbmrl.data.recording import Recorded, RecordingInfo
from ros_mbmrl.data.rollout import Mark, Rollout
from ros_mbmrl.data.step_reader import CONTROLLER, Reader
from ros_mbmrl.data.steps import DIAGNOSTICS, NANO, task_of
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.spec import Robot

# States before and after an episode: the estimator settles, the last command's answers come, and
# the controller takes over what is new.
LEAD, TRAIL = 3, 5
MODEL, POLICY = "model_version", "policy_version"  # of the controller's timing
NONE = -1  # version of what acts before there is one
_EMPTY = RecordingInfo({}, 0, 0, 0, complete=True)


@dataclass(frozen=True)
class Gathered:
    """One episode.

    Args:
        index: of the episode, from 1.
        rollout: its states and what acted; a step that was lost is marked GAP.
        models, policies: versions that acted, in the order in which they did; empty: none yet.
    """

    index: int
    rollout: Rollout
    models: tuple[int, ...]
    policies: tuple[int, ...]


class Phase(Enum):
    """Stages of an episode."""

    WAITING = "waiting"  # for a controller that acts, and a robot that is not stopped
    LEADING = "leading"
    RUNNING = "running"
    TRAILING = "trailing"


class LiveEpisodes:
    """Cuts a graph's messages into episodes of one length, one after another.

    Args:
        robot: that is driven.
        owner: `hardware_id` of the graph's diagnostics.
        seconds: length of an episode [s].
        terrain: where it is, for the events.
    """

    def __init__(self, robot: Robot, owner: str, seconds: float, terrain: str = "unknown") -> None:
        period = robot.spec.period
        if not seconds >= 2 * period:
            raise ValueError(f"episode_seconds: expected {2 * period:g} s or more, got {seconds}")
        self._robot, self._owner, self._terrain = robot, owner, terrain
        self._length = round(seconds / period) * period
        self.phase = Phase.WAITING
        self.stopped = False
        self.count = 0  # episodes begun
        self._acting: Mapping[str, int] = MappingProxyType({})
        self._reader = self._new_reader()
        self._states = 0  # seen in this phase
        self._newest = self._began = self._ended = 0  # stamps [ns]
        self._models: list[int] = []
        self._policies: list[int] = []

    @property
    def acting(self) -> Mapping[str, int]:
        """Return the versions that the controller told last; empty: it has not acted yet."""
        return self._acting

    def take(self, topic: str, message: Any, now: int) -> None:
        """Take in a message of the graph's topic, which came at `now` [ns]."""
        if topic == DIAGNOSTICS:
            self._read_versions(message)
        if self.phase is not Phase.WAITING:
            with suppress(UserError):  # a command of nobody in the graph; safety says so
                self._reader.add(topic, Recorded(topic, "", now, message))

    def stop(self, stopped: bool) -> tuple[Event, ...]:
        """Take in the safety monitor's state; a stop discards the running episode.

        What led to a stop may be the hand of a person, and a trajectory has one length. The
        recording still has it.
        """
        self.stopped = stopped
        running = self.phase is Phase.RUNNING
        if not stopped or self.phase not in (Phase.LEADING, Phase.RUNNING):
            return ()
        self.phase = Phase.WAITING
        return (self._event("discard", self._newest),) if running else ()

    def abandon(self) -> tuple[Event, ...]:
        """End what runs without a trajectory: the graph ends, or the plant's clock began anew."""
        running, self.phase = self.phase is Phase.RUNNING, Phase.WAITING
        return (self._event("discard", self._newest),) if running else ()

    def measured(self, stamp: int) -> tuple[tuple[Event, ...], Gathered | None]:
        """Take in that the state stamped `stamp` [ns] is complete.

        Returns:
            What began or ended with it; and an episode, once all of it has come.
        """
        again = stamp < self._newest - NANO
        self._newest = stamp
        if again:
            return self.abandon(), None
        self._states += 1
        if self.phase is Phase.WAITING:
            if self._acting and not self.stopped:
                self._enter(Phase.LEADING)
                self._reader = self._new_reader()
        elif self.phase is Phase.LEADING and self._states > LEAD:
            return self._begin(stamp), None
        elif self.phase is Phase.RUNNING and self._over(stamp):
            self._ended = stamp
            self._enter(Phase.TRAILING)
            return (self._event("stop", stamp),), None
        elif self.phase is Phase.TRAILING and self._states >= TRAIL:
            self._enter(Phase.WAITING)
            return (), self._gathered()
        return (), None

    def _enter(self, phase: Phase) -> None:
        self.phase, self._states = phase, 0

    def _begin(self, stamp: int) -> tuple[Event, ...]:
        self._enter(Phase.RUNNING)
        self.count, self._began = self.count + 1, stamp
        self._models, self._policies = [], []
        return (self._event("start", stamp),)

    def _over(self, stamp: int) -> bool:
        return (stamp - self._began) / NANO > self._length - 0.5 * self._robot.spec.period

    def _event(self, kind: str, stamp: int) -> Event:
        who = "learned" if max(self._acting.values(), default=NONE) > NONE else "random"
        return Event(kind, self.count, self._terrain, (who,), stamp / NANO)

    def _new_reader(self) -> Reader:
        return Reader(self._robot, Path("episode"), self._owner)

    def _read_versions(self, message: Any) -> None:
        """Take in which versions acted on the state of the message's stamp."""
        for line in message.status:
            if line.hardware_id != self._owner or task_of(line) != CONTROLLER:
                continue
            values = {pair.key: pair.value for pair in line.values}
            if MODEL not in values:
                continue
            self._acting = {name: int(values.get(name, NONE)) for name in (MODEL, POLICY)}
            stamp = message.header.stamp
            time = int(stamp.sec) * NANO + int(stamp.nanosec)
            ended = self._ended if self.phase is Phase.TRAILING else time + 1
            if self.phase in (Phase.RUNNING, Phase.TRAILING) and self._began <= time < ended:
                for name, seen in ((MODEL, self._models), (POLICY, self._policies)):
                    if self._acting[name] != NONE and self._acting[name] not in seen:
                        seen.append(self._acting[name])

    def _gathered(self) -> Gathered | None:
        """Return the episode; None if nothing of it can be read."""
        try:
            rollouts = rollouts_of(self._reader.run(_EMPTY))
        except UserError:
            return None
        begin, end = self._began / NANO, self._ended / NANO
        margin = 0.5 * self._robot.spec.period
        parts = [within(each, begin - margin, end + margin) for each in rollouts]
        parts = [each for each in parts if len(each)]
        if not parts:
            return None
        rollout = joined(parts)
        tags = {
            "source": "graph",
            "terrain": self._terrain,
            "episode": str(self.count),
            "model_versions": " ".join(map(str, self._models)),
            "policy_versions": " ".join(map(str, self._policies)),
        }
        rollout = replace(rollout, tags=MappingProxyType({k: v for k, v in tags.items() if v}))
        return Gathered(self.count, rollout, tuple(self._models), tuple(self._policies))


def within(rollout: Rollout, begin: float, end: float) -> Rollout:
    """Return the part of a rollout from `begin` to `end` [s]; without transitions if none is."""
    inside = np.flatnonzero((rollout.times >= begin) & (rollout.times <= end))
    first, last = (inside[0], inside[-1]) if len(inside) else (0, 0)
    return replace(
        rollout,
        states=rollout.states[first : last + 1],
        times=rollout.times[first : last + 1],
        actions=rollout.actions[first:last],
        marks=rollout.marks[first:last],
    )


def joined(parts: list[Rollout]) -> Rollout:
    """Return rollouts of one run as one; from each to the next is a transition marked GAP."""
    first, *others = parts
    for other in others:
        gap = np.zeros_like(other.actions[:1]), np.array([Mark.GAP], dtype=np.uint8)
        first = replace(
            first,
            states=np.concatenate([first.states, other.states]),
            times=np.concatenate([first.times, other.times]),
            actions=np.concatenate([first.actions, gap[0], other.actions]),
            marks=np.concatenate([first.marks, gap[1], other.marks]),
        )
    return first
