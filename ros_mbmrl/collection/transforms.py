"""A robot's transforms as messages: map -> odom -> base_link -> its links.

For people who look on; nothing that acts reads them. In recordings they are what `ros2 bag play`,
Foxglove, RViz and rerun take as transforms, also where `tf2_msgs` is not installed. A Foxglove
schema beside it would not do: rosbag2 opens no file of more than one encoding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from ros_mbmrl.collection.messages import Messages
from ros_mbmrl.data.measurement_messages import nanoseconds, put_stamp
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.topics import MOVING, STATIC, topic

if TYPE_CHECKING:
    from ros_mbmrl.simulation.frames import Transform

STAMPED = "geometry_msgs/msg/TransformStamped"


class TransformMessages:
    """Transforms of one robot in its measurements, as messages of `tf2_msgs/msg/TFMessage`.

    Args:
        robot: its name.
        blank: makes a blank message of a type, from the middleware or without it.

    Raises:
        UserError: the robot has no MuJoCo model, from which its frames are taken.
    """

    def __init__(self, robot: str, blank: Callable[[str], Any]) -> None:
        from ros_mbmrl.simulation.frames import make_frames  # and with it MuJoCo

        self._frames, self._blank = make_frames(robot), blank
        self._estimator = StateEstimator(make_robot(robot))

    def fixed(self, measurement: Measurement) -> Any:
        """Return the transforms that never change, for `/tf_static`."""
        return self._message(self._frames.fixed(), nanoseconds(measurement.time))

    def moving(self, measurement: Measurement) -> Any | None:
        """Return those of a measurement, for `/tf`; None if it has numbers that are not finite."""
        if not np.isfinite(measurement.values).all():
            return None
        transforms = self._frames.moving(self._estimator.update(measurement))
        return self._message(transforms, nanoseconds(measurement.time))

    def _message(self, transforms: Iterable[Transform], stamp: int) -> Any:
        message = self._blank(topic(MOVING).type)
        message.transforms = [self._stamped(each, stamp) for each in transforms]
        return message

    def _stamped(self, transform: Transform, stamp: int) -> Any:
        message = self._blank(STAMPED)
        put_stamp(message.header.stamp, stamp)
        message.header.frame_id, message.child_frame_id = transform.parent, transform.child
        offset, turn = message.transform.translation, message.transform.rotation
        offset.x, offset.y, offset.z = transform.translation
        turn.w, turn.x, turn.y, turn.z = transform.rotation
        return message


def _plain(kind: str) -> Any:
    """Return what the encoder takes for a message, without a default for every field."""
    if kind != STAMPED:
        return SimpleNamespace()
    header = SimpleNamespace(stamp=SimpleNamespace(), frame_id="")
    place = SimpleNamespace(translation=SimpleNamespace(), rotation=SimpleNamespace())
    return SimpleNamespace(header=header, child_frame_id="", transform=place)


class RecordedTransforms:
    """Transforms for a recording, as bytes. It has none for a robot without a MuJoCo model."""

    def __init__(self, robot: str) -> None:
        self._encoder = Messages((MOVING,))
        self._messages: TransformMessages | None = None
        with suppress(UserError):  # a robot of another package
            self._messages = TransformMessages(robot, _plain)
        self._newest: float | None = None

    def of(self, measurement: Measurement) -> list[tuple[str, bytes]]:
        """Return topics and messages for a measurement; none for one that was there already.

        Recording and control go on without transforms, whatever goes wrong with them.
        """
        if self._messages is None or measurement.time == self._newest:
            return []
        first, self._newest = self._newest is None, measurement.time
        try:
            found = {MOVING: self._messages.moving(measurement)}
            if first:
                found[STATIC] = self._messages.fixed(measurement)
            return [
                (name, self._encoder.encode(topic(name).type, message))
                for name, message in found.items()
                if message is not None
            ]
        except Exception:  # noqa: BLE001 (whatever it is)
            self._messages = None
            return []
