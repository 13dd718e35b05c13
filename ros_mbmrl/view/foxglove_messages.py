"""Things that a view shows as messages of Foxglove's schemas."""

from __future__ import annotations

from collections.abc import Sequence

from foxglove.messages import (
    Color,
    CubePrimitive,
    CylinderPrimitive,
    Duration,
    FrameTransform,
    FrameTransforms,
    LinePrimitive,
    Point3,
    Pose,
    Quaternion,
    SceneEntity,
    SceneUpdate,
    SpherePrimitive,
    Timestamp,
    TriangleListPrimitive,
    Vector3,
)

from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.frames import Transform
from ros_mbmrl.view.things import Colour, Entity, Line, Shape

NANO = 1_000_000_000


def scene_update(entities: Sequence[Entity], now: int) -> SceneUpdate:
    """Return entities that are put in place of those of the same names, at `now` [ns]."""
    return SceneUpdate(entities=[_entity(each, now) for each in entities])


def frame_transforms(transforms: Sequence[Transform], now: int) -> FrameTransforms:
    """Return transforms as of `now` [ns]."""
    return FrameTransforms(
        transforms=[
            FrameTransform(
                timestamp=_timestamp(now),
                parent_frame_id=each.parent,
                child_frame_id=each.child,
                translation=_vector(each.translation),
                rotation=_quaternion(each.rotation),
            )
            for each in transforms
        ]
    )


def _entity(entity: Entity, now: int) -> SceneEntity:
    solids = {kind: [s for s in entity.shapes if s.kind == kind] for kind in _SOLIDS}
    seconds, rest = divmod(round(entity.seconds * NANO), NANO)
    return SceneEntity(
        timestamp=_timestamp(now),
        frame_id=entity.frame,
        id=entity.name,
        lifetime=Duration(sec=seconds, nsec=rest),
        frame_locked=True,
        cubes=[_cube(shape) for shape in solids["box"]],
        spheres=[_sphere(shape) for shape in solids["ball"]],
        cylinders=[_cylinder(shape) for shape in solids["cylinder"]],
        triangles=[_mesh(shape) for shape in solids["mesh"]],
        lines=[_line(line) for line in entity.lines],
    )


_SOLIDS = ("box", "ball", "cylinder", "mesh")


def _cube(shape: Shape) -> CubePrimitive:
    return CubePrimitive(pose=_pose(shape), size=_vector(shape.size), color=_colour(shape.colour))


def _sphere(shape: Shape) -> SpherePrimitive:
    return SpherePrimitive(pose=_pose(shape), size=_vector(shape.size), color=_colour(shape.colour))


def _cylinder(shape: Shape) -> CylinderPrimitive:
    return CylinderPrimitive(
        pose=_pose(shape),
        size=_vector(shape.size),
        bottom_scale=1.0,
        top_scale=1.0,
        color=_colour(shape.colour),
    )


def _mesh(shape: Shape) -> TriangleListPrimitive:
    points = [] if shape.points is None else _points(shape.points)
    return TriangleListPrimitive(pose=_pose(shape), points=points, color=_colour(shape.colour))


def _line(line: Line) -> LinePrimitive:
    """Return a strip (the default type) whose width is in pixels."""
    return LinePrimitive(
        pose=Pose(position=Vector3(), orientation=Quaternion(w=1.0)),
        thickness=line.width,
        scale_invariant=True,
        points=_points(line.points),
        color=_colour(line.colour),
    )


def _points(points: Array) -> list[Point3]:
    return [Point3(x=x, y=y, z=z) for x, y, z in points.tolist()]


def _pose(shape: Shape) -> Pose:
    return Pose(position=_vector(shape.position), orientation=_quaternion(shape.rotation))


def _vector(xyz: Sequence[float] | Array) -> Vector3:
    x, y, z = (float(value) for value in xyz)
    return Vector3(x=x, y=y, z=z)


def _quaternion(wxyz: Sequence[float] | Array) -> Quaternion:
    w, x, y, z = (float(value) for value in wxyz)
    return Quaternion(x=x, y=y, z=z, w=w)


def _colour(colour: Colour) -> Color:
    red, green, blue, opacity = colour
    return Color(r=red, g=green, b=blue, a=opacity)


def _timestamp(now: int) -> Timestamp:
    return Timestamp(*divmod(now, NANO))
