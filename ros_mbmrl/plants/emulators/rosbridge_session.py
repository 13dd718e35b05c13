"""One client of the rosbridge emulator: its operations, its subscriptions, and its replies. No I/O.

For wrong operations and for those only rosbridge_suite has (fragments, compression, services of
clients) a client is answered with a status.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ros_mbmrl.plants.emulators.pr2_side import PR2Side
from ros_mbmrl.plants.wire import rosbridge

# Operations of rosbridge_suite that this emulator lacks, and fields with their allowed values.
BEYOND = (
    *("fragment", "png", "advertise_service", "unadvertise_service", "service_response"),
    *("set_level", "auth"),
)
PLAIN: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {"fragment_size": (None,), "compression": (None, "none"), "png": (None, "none")}
)
LARGEST = 1 << 31  # throttle_rate [ms] and queue_length are limited to this


@dataclass
class Subscription:
    """A client's subscription to a topic, with the messages that wait.

    `wishes` holds throttle and length of each of the client's subscriptions, by its id; the lowest
    of each is used, as in rosbridge_suite.

    Args:
        throttle: least time between two messages [s].
        length: of the queue; 0: unlimited.
    """

    throttle: float = 0.0
    length: int = 0
    waiting: deque[str] = field(default_factory=deque)
    sent: float = float("-inf")
    wishes: dict[Any, tuple[float, int]] = field(default_factory=dict)

    def wish(self, identity: Any, throttle: float, length: int) -> None:
        """Add a subscription, or change the one with the same id."""
        self.wishes[identity] = throttle, length
        self._merge()

    def drop(self, identity: Any) -> None:
        """End the subscription with this id; None: all of them."""
        if identity is None:
            self.wishes.clear()
        self.wishes.pop(identity, None)
        self._merge()

    def _merge(self) -> None:
        if self.wishes:
            self.throttle = min(throttle for throttle, _ in self.wishes.values())
            self.length = min(length for _, length in self.wishes.values())
            while self.length and len(self.waiting) > self.length:
                self.waiting.popleft()

    def offer(self, text: str, now: float) -> None:
        """Queue a published message; without a queue, drop it if it comes too early."""
        if self.length == 0 and now - self.sent < self.throttle:
            return
        if self.length and len(self.waiting) >= self.length:
            self.waiting.popleft()
        self.waiting.append(text)
        if self.length == 0:
            self.sent = now

    def due(self, now: float) -> list[str]:
        """Return the messages that may be sent now."""
        texts: list[str] = []
        while self.waiting and (self.length == 0 or now - self.sent >= self.throttle):
            texts.append(self.waiting.popleft())
            if self.length:
                self.sent = now
        return texts


class Session:
    """One client: takes its operations in, and collects what is to be sent to it."""

    def __init__(self, side: PR2Side) -> None:
        self._side = side
        self._subscriptions: dict[str, Subscription] = {}
        self._advertised: dict[str, tuple[str, set[Any]]] = {}  # topic -> type, advertisements
        self._replies: list[str] = []

    def receive(self, text: str | bytes, now: float) -> None:
        """Take in an operation; errors are answered with a status."""
        identity = None
        try:
            said = rosbridge.parse(text)
            identity = said.get("id")
            if said.get("op") in BEYOND:
                raise ValueError(f"{said['op']}: not an operation of this emulator")
            self._do(rosbridge.checked(said), now)
        except (ValueError, TypeError) as error:
            self._complain(str(error), identity)

    def _do(self, said: rosbridge.Operation, now: float) -> None:
        op = str(said["op"])
        handler = getattr(self, f"_{op}", None)
        if handler is None:
            raise ValueError(f"Unknown operation: {op}")
        try:
            for name, plain in PLAIN.items():
                if said.get(name) not in plain:
                    raise ValueError(f"{name}: not a field of this emulator, got {said[name]!r}")
            handler(said, now)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{op}: {error}") from None

    def offer(self, topic: str, text: str, now: float) -> None:
        """Take in a message that the robot has published."""
        if topic in self._subscriptions:
            self._subscriptions[topic].offer(text, now)

    def due(self, now: float) -> list[str]:
        """Return the texts to send now; the queues bound what waits for a slow client."""
        texts, self._replies = self._replies, []
        for subscription in self._subscriptions.values():
            texts += subscription.due(now)
        return texts

    def _advertise(self, said: rosbridge.Operation, now: float) -> None:
        topic, kind = said["topic"], said["type"]
        self._check_type(topic, kind)
        self._advertised.setdefault(topic, (kind, set()))[1].add(said.get("id"))

    def _unadvertise(self, said: rosbridge.Operation, now: float) -> None:
        topic, identity = said["topic"], said.get("id")
        _, identities = self._advertised.get(topic, ("", set()))
        if identity is None:
            identities.clear()
        identities.discard(identity)
        if not identities:
            self._advertised.pop(topic, None)

    def _publish(self, said: rosbridge.Operation, now: float) -> None:
        topic = said["topic"]
        if topic not in self._advertised and topic not in self._side.topics:
            raise ValueError(
                f"Cannot infer topic type for topic {topic} as it is not yet advertised"
            )
        self._side.publish(topic, said["msg"], now)

    def _subscribe(self, said: rosbridge.Operation, now: float) -> None:
        topic, identity = said["topic"], said.get("id")
        hash(identity)  # raises TypeError for an unhashable id
        self._check_type(topic, said.get("type"))
        throttle, length = _whole(said, "throttle_rate") / 1000, _whole(said, "queue_length")
        self._subscriptions.setdefault(topic, Subscription()).wish(identity, throttle, length)

    def _unsubscribe(self, said: rosbridge.Operation, now: float) -> None:
        topic = said["topic"]
        if topic in self._subscriptions:
            self._subscriptions[topic].drop(said.get("id"))
            if not self._subscriptions[topic].wishes:
                del self._subscriptions[topic]

    def _call_service(self, said: rosbridge.Operation, now: float) -> None:
        service, identity = said["service"], said.get("id")
        known = self._side.services.get(service)
        values: Any = f"Service {service} does not exist" if known is None else known()
        if known is None:
            self._complain(f"call_service InvalidServiceException: {values}", identity)
        self._replies.append(
            rosbridge.encode(
                "service_response",
                service=service,
                values=values,
                result=known is not None,
                id=_echo(identity),
            )
        )

    def _check_type(self, topic: str, kind: Any) -> None:
        ours, _ = self._advertised.get(topic, (None, None))
        established = self._side.topics.get(topic, ours)
        if not isinstance(kind, str | None):
            raise ValueError(f"a type's name expected, got {kind!r}")
        if established is None and kind is None:
            raise ValueError(f"Cannot infer topic type for topic {topic}")
        if None not in (kind, established) and kind != established:
            raise ValueError(f"Tried to use {topic} as {kind}, but it is {established}")

    def _complain(self, message: str, identity: Any) -> None:
        text = rosbridge.encode("status", level="error", msg=message, id=_echo(identity))
        self._replies.append(text)


def _whole(said: rosbridge.Operation, name: str) -> int:
    """Return a whole-number field, 0 if it is missing. Raises ValueError."""
    value = said.get(name, 0)
    if type(value) is not int:
        raise ValueError(f"integer expected for {name}, got {value!r}")
    return min(max(0, value), LARGEST)


def _echo(identity: Any) -> str | int | None:
    """Return an operation's id, or None for anything that is not an id."""
    return identity if isinstance(identity, str | int) else None
