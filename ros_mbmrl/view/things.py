"""Things that a view shows: shapes and lines in frames, transforms, figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.frames import Transform

TRANSFORMS = "/view/transforms"
ROBOT, DRIVEN, REFERENCE = "/view/robot", "/view/driven", "/view/reference"
PLAN, CANDIDATES = "/view/plan", "/view/candidates"
SCENES = (ROBOT, DRIVEN, REFERENCE, PLAN, CANDIDATES)

Colour = tuple[float, float, float, float]  # red, green, blue, opacity, from 0 to 1
Figures = Mapping[str, float | bool | str]


@dataclass(frozen=True, eq=False)
class Shape:
    """A solid in the frame of its entity.

    Args:
        kind: `ball` is an ellipsoid; the axis of a `cylinder` is z; `mesh` is made of triangles.
        position: of its middle, (3,) [m].
        rotation: quaternion (4,), w first.
        size: along x, y and z (3,) [m]; not of a mesh.
        colour: of all of it.
        points: corners of the triangles of a mesh (3 n, 3) [m].
    """

    kind: Literal["box", "ball", "cylinder", "mesh"]
    position: Array
    rotation: Array
    size: Array
    colour: Colour
    points: Array | None = None


@dataclass(frozen=True, eq=False)
class Line:
    """A line through points (n, 3) [m] in the frame of its entity; width: in pixels."""

    points: Array
    colour: Colour
    width: float = 2.0


@dataclass(frozen=True)
class Entity:
    """Something that is drawn, in place of what had its name before.

    Args:
        name: unique within its topic.
        frame: in which it is drawn, and with which it moves.
        seconds: after which it is gone; 0: never.
    """

    name: str
    frame: str
    shapes: tuple[Shape, ...] = ()
    lines: tuple[Line, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Shown:
    """A message for viewers.

    Args:
        topic: where it is shown.
        content: entities, transforms, or figures by name.
        latched: whether who comes later needs it, too.
    """

    topic: str
    content: tuple[Entity, ...] | tuple[Transform, ...] | Figures
    latched: bool = False
