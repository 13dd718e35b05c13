"""Requests that an operator can make, by key or by button."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """Kinds of requests."""

    EPISODE = "start or stop an episode"
    DISCARD = "discard the running episode, or else the last one"
    TERRAIN = "another terrain, from the next episode on"
    MIDDLE = "end the episode and go to the middle of the arena"
    HALT = "stop at once and end the episode"
    RESET = "reset a stop of the safety monitor"
    SOURCE = "another source of commands"


@dataclass(frozen=True)
class Request:
    """A request; which: the terrain's number, 1 to 9; 0: the next one."""

    kind: Kind
    which: int = 0
