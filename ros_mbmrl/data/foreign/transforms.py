"""Pose from transforms: the chain of frames that leads to a robot, as samples of its pose.

The link of the chain that comes most often gives the samples; of each other link the newest
transform before it counts, as for who listens. A link that never changes is on `/tf_static`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ros_mbmrl.data.foreign.layout import Column, Layout, columns_of
from ros_mbmrl.data.recording import Recorded
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.sources import Field
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.topics import STATIC

if TYPE_CHECKING:
    from ros_mbmrl.data.foreign.samples import Samples

PARTS: tuple[tuple[tuple[str | int, ...], str], ...] = (
    *((("transform", "translation", axis), "m") for axis in "xyz"),
    *((("transform", "rotation", part), "1") for part in "wxyz"),
)
Link = tuple[str, str]  # parent, child


class Chain:
    """The links from one frame to another, and a track of samples for each.

    Args:
        layout: with `transforms`.
        track: makes a track for columns.
    """

    def __init__(self, layout: Layout, track: Callable[[tuple[Column, ...]], Any]) -> None:
        (self._topic,) = {c.topic for c in layout.measured if c.field.way[0] == "transform"}
        self.columns = columns_of(layout.columns, self._topic)
        frames = [_plain(frame) for frame in layout.transforms]
        self._tracks = {link: track(self._link_columns(link)) for link in pairwise(frames)}
        self._seen: dict[Link, None] = {}
        self.topics = (self._topic, STATIC)

    def _link_columns(self, link: Link) -> tuple[Column, ...]:
        name, kind = "->".join(link), self.columns[0].type_name
        return tuple(
            Column(f"{name}.{way[-1]}", unit, self._topic, kind, Field(way)) for way, unit in PARTS
        )

    def add(self, order: int, recorded: Recorded) -> None:
        """Take in a message of transforms."""
        for each in recorded.message.transforms:
            link = _plain(each.header.frame_id), _plain(each.child_frame_id)
            if link in self._tracks:
                self._tracks[link].add(order, recorded._replace(message=each))
            elif len(self._seen) < 100:
                self._seen[link] = None

    def samples(self, path: Path) -> Samples:
        """Return samples of the pose. Raises UserError for a link that is in no message."""
        for (parent, child), track in self._tracks.items():
            if not track.order:
                there = ", ".join(f"{a} -> {b}" for a, b in self._seen) or "no others"
                raise UserError(
                    f"{path}: no transform {parent} -> {child} on {self._topic} or {STATIC}: there "
                    f"are {there[:300]}"
                )
        links = [track.samples(path, self._topic) for track in self._tracks.values()]
        return chained(links, self._topic, self.columns)


def chained(links: Sequence[Samples], topic: str, columns: tuple[Column, ...]) -> Samples:
    """Return samples of the transform over all links, from the first frame to the last.

    Args:
        links: each with `PARTS` as its columns.
        topic, columns: of what is returned; the columns' fields lead into a transform.
    """
    import torch

    from ros_mbmrl.robots.rotations import multiply, rotate

    guide = max(links, key=lambda each: len(each.order))
    place, turn = torch.zeros(1, 3, dtype=torch.float64), torch.tensor([[1.0, 0, 0, 0]]).double()
    for link in links:
        newest = np.searchsorted(link.order, guide.order, side="right") - 1
        rows = torch.from_numpy(np.where(newest[:, None] >= 0, link.values[newest], np.nan))
        place = place + rotate(turn.expand(len(rows), 4), rows[:, :3])
        turn = multiply(turn.expand(len(rows), 4), rows[:, 3:])
    whole: Array = torch.cat([place, turn], dim=1).numpy()
    parts = {way: part for (way, _), part in zip(PARTS, whole.T, strict=True)}
    values = np.stack([parts[column.field.way] for column in columns], axis=1)
    return replace(guide, topic=topic, columns=columns, values=values)


def _plain(frame: str) -> str:
    """Return a frame's name without the `/` in front that older packages write."""
    return str(frame).lstrip("/")
