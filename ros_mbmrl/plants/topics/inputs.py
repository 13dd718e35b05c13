"""Inputs: the newest messages of the robot's topics, joined into one measurement."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ros_mbmrl.plants.base import PlantFault
from ros_mbmrl.plants.topics.frames import Frames
from ros_mbmrl.plants.topics.wiring import Wiring
from ros_mbmrl.robots.described.quantities import TRANSFORMS
from ros_mbmrl.robots.described.sources import RobotTopic
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, RobotSpec

AHEAD = 0.02  # [s] that a stamp may lie in the future: clocks are never quite the same


@dataclass(frozen=True)
class Newest:
    """A message, the stamp in it, and when it came [s]; no stamp: it has no header."""

    message: Any
    stamp: float | None
    received: float


class Inputs:
    """Messages that have come by the topics of a wiring. One thread may put, another one read.

    Args:
        spec: of the robot.
        wiring: where its numbers are.
    """

    def __init__(self, spec: RobotSpec, wiring: Wiring) -> None:
        self._wiring = wiring
        self._names = [quantity.name for quantity in spec.measurement]
        self._topics = wiring.heard
        # Looked at once a period: so the robot is stopped before `state_timeout` is over.
        whole = spec.envelope.state_timeout
        self._oldest = max(whole - spec.period, whole / 2)
        self._lock = threading.Lock()
        self._newest: dict[str, Newest] = {}
        self._frames = Frames(wiring.frames or ("", ""))
        self.received = 0

    def put(self, topic: str, message: Any, now: float, static: bool = False) -> None:
        """Take a message of one of the topics that came at `now` [s]."""
        with self._lock:
            self.received += 1
            if self._topics[topic].type == TRANSFORMS:
                self._frames.put(message, now, static)
            else:
                self._newest[topic] = Newest(message, stamp_of(message), now)

    def measurement(self, now: float) -> Measurement:
        """Return the newest numbers at `now` [s], with the age of the oldest.

        Topics with a time-out of their own do not count for the age.

        Raises:
            PlantFault: a number is too old, never came, or is none.
        """
        with self._lock:
            try:
                newest = {name: self._of(name, topic, now) for name, topic in self._topics.items()}
            except LookupError as error:
                raise PlantFault(str(error)) from None
        ages = {name: self._age(self._topics[name], each, now) for name, each in newest.items()}
        values = self._values(newest)
        counted = [ages[n] for n, topic in self._topics.items() if topic.timeout is None]
        return Measurement(now, values, max([0.0, *counted]))

    def _of(self, name: str, topic: RobotTopic, now: float) -> Newest:
        if topic.type == TRANSFORMS:
            try:
                return Newest(*self._frames.pose(now))
            except LookupError as error:
                raise LookupError(f"{topic.name}: {error.args[0]}") from None
        if name not in self._newest:
            raise LookupError(f"{topic.name}: nothing has come yet")
        return self._newest[name]

    def _age(self, topic: RobotTopic, newest: Newest, now: float) -> float:
        """Return the age of a message [s]. Raises PlantFault if it is too old, or from later."""
        oldest = self._oldest if topic.timeout is None else topic.timeout
        if newest.stamp is None or not topic.stamped:
            age = now - newest.received
            if age > oldest:
                raise PlantFault(f"{topic.name}: came {age:.3f} s ago: expected up to {oldest:g} s")
            return age
        if newest.stamp == 0.0:
            raise PlantFault(f"{topic.name}: has no stamp: expected one, or 'stamped: false'")
        age = now - newest.stamp
        if not -AHEAD <= age <= oldest:
            raise PlantFault(
                f"{topic.name}: stamped {age:.3f} s ago by this machine's clock: "
                f"expected up to {oldest:g} s"
            )
        return max(age, 0.0)

    def _values(self, newest: Mapping[str, Newest]) -> Array:
        values = np.empty(len(self._names))
        for k, name in enumerate(self._names):
            source = self._wiring.sources[name]
            topic = self._topics[source.topic].name
            try:
                values[k] = source.read(newest[source.topic].message)
            except LookupError as error:
                raise PlantFault(f"{topic}: {error.args[0]}") from None
            if not np.isfinite(values[k]):
                told = f"{source.field} is {values[k]}"
                raise PlantFault(f"{topic}: {name}: expected a finite number, {told}")
        return values


def stamp_of(message: Any) -> float | None:
    """Return the stamp in a message's header [s]; None: it has no header."""
    header = getattr(message, "header", None)
    stamp = getattr(header, "stamp", None)
    return None if stamp is None else stamp.sec + 1e-9 * stamp.nanosec
