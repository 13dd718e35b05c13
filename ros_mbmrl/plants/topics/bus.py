"""Bus: the middleware as a plant sees it. `nodes/robot_topics.py` is the one of ROS 2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class End:
    """One end of a topic.

    Args:
        node: its name with its namespace.
        type: of its messages, as `nav_msgs/msg/Odometry`.
        reliable: whether it offers reliable messages, or asks for them.
    """

    node: str
    type: str
    reliable: bool = True


class Outlet(Protocol):
    """A publisher."""

    def publish(self, message: Any) -> None:
        """Send a message."""

    def listeners(self) -> int:
        """Return how many match in type and quality of service: not all who listen there."""

    def close(self) -> None:
        """End it, once what was sent has arrived, or soon."""


class Bus(Protocol):
    """Topics of the middleware. Callbacks come from another thread."""

    @property
    def name(self) -> str:
        """Return our own name, as `End.node` has it."""

    def resolve(self, topic: str) -> str:
        """Return the whole name of a topic."""

    def listen(
        self,
        topic: str,
        kind: str,
        callback: Callable[[Any], None],
        reliable: bool = False,
        latched: bool = False,
    ) -> Callable[[], None]:
        """Call back with each message of a topic; return what ends it.

        Args:
            topic: its name.
            kind: type of its messages.
            callback: of a message.
            reliable: ask for what was lost again. Not reliable suits every publisher.
            latched: ask for messages from before, too.
        """

    def advertise(self, topic: str, kind: str, reliable: bool = True) -> Outlet:
        """Return a publisher. A reliable one suits every subscription."""

    def givers(self, topic: str) -> Sequence[End]:
        """Return who publishes there."""

    def takers(self, topic: str) -> Sequence[End]:
        """Return who listens there."""

    def every(self, period: float, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back each `period` [s] of steady time; return what ends it."""

    def stamp(self) -> Any:
        """Return the time of day, for a header."""
