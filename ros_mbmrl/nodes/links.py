"""Links: topics of the control path within one process.

A message is handed to those who listen in this process in the thread that publishes it, without
being serialised; a measurement is handed over as it is, and its messages are made for ROS alone.
ROS is told afterwards, in a thread of its own: after the command of the period has gone, or when
none came for a while. While the next measurement is being answered it waits again: told meanwhile,
what a late command left to tell would make the next one late, and so on. Nobody outside can speak
on such a topic to those inside.
"""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from rclpy._rclpy_pybind11 import InvalidHandle, RCLError
from rclpy.duration import Duration

from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.topics import QOS, topic

# Between adaptive and safety; with the driver in the process, all of the control path.
PROPOSED = ("command/proposed", "command/proposed/heard", "adaptation")
WHOLE = (*PROPOSED, "command/safe", "command/heard", "safety/state", "/diagnostics")
GONE = "command/safe"  # the last message of a period that somebody waits for
PATIENCE = 0.05  # [s] after which ROS is told whether a command has gone or not
WAITING = 10_000  # messages that ROS is not told of yet; the oldest are dropped beyond


class Publishes(Protocol):
    """The part of a ROS publisher that nodes use."""

    @property
    def topic_name(self) -> str:
        """Full name of the topic."""

    def publish(self, message: Any) -> None:
        """Send a message."""

    def get_subscription_count(self) -> int:
        """Return how many subscriptions are connected."""

    def wait_for_all_acked(self, timeout: Duration) -> bool:
        """Wait until all subscriptions have what was sent; return whether they have."""


class Links:
    """The linked topics of a process. `close` tells ROS what is left.

    Args:
        topics: their names.
        measured: whether the driver is in the process, too, and hands its measurements over.
        clock: [s], steady.
    """

    def __init__(
        self,
        topics: Iterable[str],
        measured: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.topics, self.measured = frozenset(topics), measured
        self._listeners: dict[str, list[Callable[[Any], None]]] = defaultdict(list)
        self._observers: list[Callable[[Measurement], None]] = []
        self._latching = {name for name in self.topics if QOS[topic(name).qos].latched}
        self._latched: dict[str, Any] = {}  # last message of each of these
        self._untold: deque[Callable[[], None]] = deque(maxlen=WAITING)
        self._gone, self._closed = threading.Event(), False
        self._clock, self._asked = clock, math.inf  # since when a measurement is being answered
        self._lock = threading.Lock()  # while one is, `_gone` is not set: `_tell` would not wait
        self._thread = threading.Thread(target=self._tell_on, daemon=True)
        self._thread.start()

    def listen(self, name: str, callback: Callable[[Any], None]) -> None:
        """Call `callback` with each message; with the last one, too, of a latched topic."""
        self._listeners[name].append(callback)
        if name in self._latched:
            callback(self._latched[name])

    def hand_over(self, name: str, message: Any, publisher: Publishes) -> None:
        """Give a message to those who listen here; ROS hears it from `publisher`, later."""
        if name in self._latching:
            self._latched[name] = message
        self._untold.append(partial(publisher.publish, message))
        for callback in self._listeners[name]:
            callback(message)
        if name == GONE:
            with self._lock:
                self._asked = math.inf
                self._gone.set()

    def observe(self, callback: Callable[[Measurement], None]) -> None:
        """Call `callback` with each measurement."""
        self._observers.append(callback)

    def observed(self, measurement: Measurement, tell: Callable[[], None]) -> None:
        """Give a measurement to those who observe here; `tell` tells ROS of it, later."""
        self._untold.append(tell)
        with self._lock:
            if self._asked == math.inf:
                self._asked = self._clock()
                self._gone.clear()
        for callback in self._observers:
            callback(measurement)

    def close(self) -> None:
        """Tell ROS all that is left, and end; may be called again."""
        self._closed = True
        self._gone.set()
        self._thread.join(timeout=2.0)

    def _tell_on(self) -> None:
        while not self._closed:
            self._gone.wait(PATIENCE)
            self._gone.clear()
            self._tell()
        self._tell()

    def _tell(self) -> None:
        with suppress(RCLError, InvalidHandle):  # the process ends, and its publishers are gone
            while self._untold:
                while not self._closed and 0 < (left := self._patience_left) < math.inf:
                    self._gone.wait(left)
                self._untold.popleft()()

    @property
    def _patience_left(self) -> float:
        """Return how long to wait for the command that is being found [s]; inf: there is none."""
        return self._asked + PATIENCE - self._clock()


class LinkedPublisher:
    """Publish on a linked topic: first here, then over ROS."""

    def __init__(self, name: str, publisher: Publishes, links: Links) -> None:
        self._name, self._publisher, self._links = name, publisher, links

    @property
    def topic_name(self) -> str:
        """See `Publishes`."""
        return self._publisher.topic_name

    def publish(self, message: Any) -> None:
        """See `Publishes`."""
        self._links.hand_over(self._name, message, self._publisher)

    def get_subscription_count(self) -> int:
        """See `Publishes`: those over ROS."""
        return self._publisher.get_subscription_count()

    def wait_for_all_acked(self, timeout: Duration) -> bool:
        """See `Publishes`, of what ROS was told so far."""
        return self._publisher.wait_for_all_acked(timeout)
