"""Frames: the robot's pose from a chain of transforms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation  # type: ignore[import-untyped]

STATIC = "_static"  # ending of the topic of transforms that do not change
STEPPED = 1.0  # [s] after a step back in time during which a transform counts as sent by several
# [s] that an upper transform may be old, or lie in the future: localisation sends its correction
# slowly, and dates it ahead, so that it is valid until the next one.
CORRECTION = 2.0


@dataclass(frozen=True)
class Link:
    """The newest transform between two frames.

    Args:
        transform: the message's (geometry_msgs/Transform).
        stamp: of it [s]; None: it is static.
        received: when it came [s].
        stepped: when the newest one came whose stamp was before that of the one before it [s].
    """

    transform: Any
    stamp: float | None
    received: float
    stepped: float = -math.inf


class Frames:
    """A chain of transforms, as they come.

    Args:
        names: frames from the outermost one to the robot's.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._pairs = list(zip(names[:-1], names[1:], strict=True))
        self._links: dict[tuple[str, str], Link] = {}

    def put(self, message: Any, received: float, static: bool = False) -> bool:
        """Take a tf2_msgs/TFMessage; return whether one of ours is in it."""
        mine = False
        for each in message.transforms:
            pair = each.header.frame_id.lstrip("/"), each.child_frame_id.lstrip("/")
            if pair in self._pairs:
                at = None if static else each.header.stamp.sec + 1e-9 * each.header.stamp.nanosec
                self._links[pair] = Link(
                    each.transform, at, received, self._stepped(pair, at, received)
                )
                mine = True
        return mine

    def pose(self, now: float) -> tuple[Any, float | None, float]:
        """Return the pose at `now` [s], as a message with a `transform`.

        Returns:
            The message, and of the last transform that moves its stamp and when it came [s]. The
            stamp is None if all are static.

        Raises:
            LookupError: a transform never came, steps back and forth in time, as those of several
                do, or a correction is too old; the text says which.
        """
        place, turn = np.zeros(3), Rotation.identity()
        last = Link(None, None, now)
        for pair in self._pairs:
            link = self._links.get(pair)
            if link is None:
                raise LookupError(f"no transform from '{pair[0]}' to '{pair[1]}' has come yet")
            if now - link.stepped < STEPPED:
                told = "stamps go back: expected one who sends it"
                raise LookupError(f"'{pair[0]}' to '{pair[1]}': {told}")
            if link.stamp is not None:
                _refuse_old(last, now)
                last = link
            t, q = link.transform.translation, link.transform.rotation
            place = place + turn.apply([t.x, t.y, t.z])
            norm = np.sqrt(q.x**2 + q.y**2 + q.z**2 + q.w**2)
            if not 0.99 < norm < 1.01:
                raise LookupError(f"'{pair[0]}' to '{pair[1]}': no rotation (norm {norm:.3g})")
            turn = turn * Rotation.from_quat([q.x, q.y, q.z, q.w])
        return _message(place, turn), last.stamp, last.received

    def _stepped(self, pair: tuple[str, str], stamp: float | None, now: float) -> float:
        """Return when a transform's stamps went back last, this one among them."""
        before = self._links.get(pair)
        if before is None or before.stamp is None or stamp is None:
            return -math.inf
        return now if stamp < before.stamp else before.stepped


def _refuse_old(correction: Link, now: float) -> None:
    """Refuse a transform above another one that moves if it is no longer valid."""
    if correction.stamp is None:
        return
    age = now - min(correction.received, correction.stamp)
    ahead = correction.stamp - now
    if age > CORRECTION or ahead > CORRECTION:
        raise LookupError(f"a correction is {max(age, ahead):.1f} s old: expected {CORRECTION:g} s")


def _message(place: Any, turn: Rotation) -> Any:
    x, y, z = map(float, place)
    qx, qy, qz, qw = map(float, turn.as_quat())
    translation = SimpleNamespace(x=x, y=y, z=z)
    rotation = SimpleNamespace(x=qx, y=qy, z=qz, w=qw)
    return SimpleNamespace(transform=SimpleNamespace(translation=translation, rotation=rotation))
