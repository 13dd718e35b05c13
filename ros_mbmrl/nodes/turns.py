"""Turns: one thread at a time in the callbacks of a node that several threads call."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar


class TakesTurns(Protocol):
    """A node with a lock that its callbacks hold."""

    _turn: threading.RLock


N = TypeVar("N", bound=TakesTurns)
P = ParamSpec("P")
R = TypeVar("R")


def in_turn(callback: Callable[Concatenate[N, P], R]) -> Callable[Concatenate[N, P], R]:
    """Let a callback hold the node's lock; what it publishes may call the node again."""

    @wraps(callback)
    def called(self: N, /, *arguments: P.args, **named: P.kwargs) -> R:
        with self._turn:
            return callback(self, *arguments, **named)

    return called
