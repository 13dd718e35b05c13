"""Mailboxes from the executor's thread to the worker's: states in order, and sent commands."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from typing import Generic, TypeVar

from ros_mbmrl.robots.spec import Array

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds what has not been taken yet; the taker gets all of it and acts on the newest."""

    def __init__(self, capacity: int = 64) -> None:
        self._changed = threading.Condition()
        self._items: deque[T] = deque(maxlen=capacity)

    def put(self, item: T) -> None:
        """Never waits; beyond the capacity, the oldest is forgotten."""
        with self._changed:
            self._items.append(item)
            self._changed.notify_all()

    def take(self, timeout: float) -> list[T]:
        """Everything there is, oldest first; waits up to `timeout` [s] for something."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._items), timeout)
            items = list(self._items)
            self._items.clear()
            return items


class CommandLog:
    """The newest commands that were sent, by the stamp [ns] of the state they answered.

    The middleware keeps no order between topics: the next state may well come first.
    """

    def __init__(self, capacity: int = 16) -> None:
        self._changed = threading.Condition()
        self._commands: OrderedDict[int, Array | None] = OrderedDict()
        self._capacity = capacity

    def put(self, stamp: int, action: Array | None) -> None:
        """Add a command that was sent; a second one for the same state replaces the first.

        None: it is known that the plant was given another one.
        """
        with self._changed:
            self._commands[stamp] = action
            while len(self._commands) > self._capacity:
                self._commands.popitem(last=False)
            self._changed.notify_all()

    def wait(self, stamp: int, timeout: float) -> Array | None:
        """The command for the state stamped `stamp`, or None if none acted or came in time."""
        with self._changed:
            self._changed.wait_for(lambda: stamp in self._commands, timeout)
            return self._commands.get(stamp)
