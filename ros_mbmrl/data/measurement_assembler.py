"""Measurements from messages: the topics of one step joined by their stamp.

Any message with the fields of its type will do, whoever decoded it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ros_mbmrl.data.measurement_messages import AGE, NANO, joint_names, measurement_topics
from ros_mbmrl.robots.channels import channel
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import RobotSpec


class MeasurementReader:
    """Reads the measurements of one robot from its messages, one a topic."""

    def __init__(self, spec: RobotSpec) -> None:
        self._channels = tuple(channel(where) for where in spec.channels)
        motors = [limit.name for limit in spec.action]
        self._names = {"joint_states": joint_names(spec), "back_emf": motors}
        self.topics = measurement_topics(spec)
        self._of_topic = {
            name: [each for each in self._channels if each.topic == name] for name in self.topics
        }

    def decode(self, messages: Mapping[str, Any]) -> Measurement:
        """Return the measurement that was encoded, bit for bit."""
        stamp = read_stamp(messages[AGE].header.stamp)
        values = [each.get(messages[each.topic]) for each in self._channels]
        age = (stamp - read_stamp(messages[AGE].time_ref)) / NANO
        return Measurement(stamp / NANO, np.array(values, dtype=np.float64), age)

    def readable(self, name: str, message: Any) -> bool:
        """Return whether the message has all that is to be read of it, under the right names."""
        names = getattr(message, "name", None)
        if names is not None and list(names) != self._names[name]:
            return False
        try:
            for each in self._of_topic[name]:
                each.get(message)
        except (IndexError, TypeError, ValueError):
            return False
        return True


class MeasurementAssembler:
    """Joins the state topics by equal stamp, and drops a step of which a part never came.

    A step that is sent again (lockstep does) is given out again, an older one is not. What no
    measurement can be made of is left out, so that its step never comes to be.
    dropped, malformed, repeated, disordered: messages left out or out of turn, totals.
    """

    def __init__(self, spec: RobotSpec, pending: int = 4) -> None:
        self._reader = MeasurementReader(spec)
        self._pending: dict[int, dict[str, Any]] = {}
        self._limit = pending
        self._newest = -1
        self._last: dict[str, int] = {}
        self.dropped = self.malformed = self.repeated = self.disordered = 0

    @property
    def topics(self) -> tuple[str, ...]:
        """Return the topics that make up a measurement."""
        return self._reader.topics

    def add(self, name: str, message: Any) -> Measurement | None:
        """Take in one topic's message; return the measurement once it is complete."""
        stamp = read_stamp(message.header.stamp)
        last = self._last.get(name, -1)
        self.repeated += stamp == last
        self.disordered += stamp < last
        self._last[name] = stamp
        if not self._reader.readable(name, message):
            self.malformed += 1
            return None
        if stamp < min(self._newest, last) - NANO:  # the plant's clock began anew
            self._pending.clear()
            self._newest = -1
        if stamp < self._newest:
            return None
        parts = self._pending.setdefault(stamp, {})
        parts[name] = message
        if len(parts) == len(self.topics):
            self._forget(below=stamp)
            del self._pending[stamp]
            self._newest = stamp
            return self._reader.decode(parts)
        if len(self._pending) > self._limit:
            self._forget(below=min(self._pending) + 1)
        return None

    def _forget(self, below: int) -> None:
        for old in [stamp for stamp in self._pending if stamp < below]:
            del self._pending[old]
            self.dropped += old > self._newest


def read_stamp(stamp: Any) -> int:
    """Return a message's stamp as nanoseconds."""
    return int(stamp.sec) * NANO + int(stamp.nanosec)
