"""Messages of Foxglove's schemas, read back by their own definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("foxglove")
from foxglove.messages import FrameTransforms, SceneUpdate

from ros_mbmrl.simulation.frames import Transform
from ros_mbmrl.view.foxglove_messages import frame_transforms, scene_update
from ros_mbmrl.view.things import Entity, Line, Shape

RED = (1.0, 0.0, 0.0, 0.5)
NOW = 12_000_000_034


def solid(kind: Any, points: np.ndarray | None = None) -> Shape:
    rotation = np.array([0.8, 0.6, 0.0, 0.0])
    return Shape(kind, np.array([1.0, 2.0, 3.0]), rotation, np.array([4.0, 5.0, 6.0]), RED, points)


def test_an_entity_with_one_of_each(read: Any) -> None:
    shapes = (solid("box"), solid("ball"), solid("cylinder"), solid("mesh", np.eye(3)))
    line = Line(np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]), RED, width=3.0)
    entity = Entity("leg", "base_link", shapes, (line,), seconds=1.5)
    message = scene_update([entity], NOW)
    (got,) = read(SceneUpdate, message.encode()).entities
    assert (got.id, got.frame_id, got.frame_locked) == ("leg", "base_link", True)
    assert (got.timestamp.seconds, got.timestamp.nanos) == (12, 34)
    assert (got.lifetime.seconds, got.lifetime.nanos) == (1, 500_000_000)
    for (each,) in (got.cubes, got.spheres, got.cylinders):
        assert (each.size.x, each.size.y, each.size.z) == (4.0, 5.0, 6.0)
        assert (each.pose.position.x, each.pose.orientation.w) == (1.0, 0.8)
        assert each.pose.orientation.x == 0.6
        assert (each.color.r, each.color.a) == (1.0, 0.5)
    assert (got.cylinders[0].bottom_scale, got.cylinders[0].top_scale) == (1.0, 1.0)
    assert [(p.x, p.y, p.z) for p in got.triangles[0].points] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    (drawn,) = got.lines
    assert (drawn.type, drawn.thickness, drawn.scale_invariant) == (0, 3.0, True)  # a strip
    assert [(p.x, p.y, p.z) for p in drawn.points] == [(0, 0, 0), (1, 2, 3)]


def test_transforms(read: Any) -> None:
    told = Transform("odom", "base_link", (1.0, 2.0, 3.0), (0.8, 0.0, 0.0, 0.6))
    message = frame_transforms([told], NOW)
    (got,) = read(FrameTransforms, message.encode()).transforms
    assert (got.parent_frame_id, got.child_frame_id) == ("odom", "base_link")
    assert (got.translation.x, got.translation.y, got.translation.z) == (1.0, 2.0, 3.0)
    assert (got.rotation.w, got.rotation.z) == (0.8, 0.6)
    assert (got.timestamp.seconds, got.timestamp.nanos) == (12, 34)
