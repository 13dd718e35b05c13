"""Picture: what a viewer is shown of a graph's messages, beside the messages themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ros_mbmrl.data.measurement_assembler import MeasurementAssembler
from ros_mbmrl.data.steps import task_of
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.paths import Path
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.robots.tracked import MAP, tracked_point
from ros_mbmrl.simulation.frames import Frames, make_frames
from ros_mbmrl.view.diagnostics import TRACKING, figures, topic_of
from ros_mbmrl.view.shapes import shapes
from ros_mbmrl.view.things import (
    CANDIDATES,
    DRIVEN,
    PLAN,
    REFERENCE,
    ROBOT,
    TRANSFORMS,
    Colour,
    Entity,
    Line,
    Shown,
)
from ros_mbmrl.view.trail import Trail

BLUE: Colour = (0.10, 0.40, 0.85, 1.0)
GREY: Colour = (0.55, 0.55, 0.55, 1.0)
WHITE: Colour = (1.0, 1.0, 1.0, 1.0)
TRAIL_EVERY = 5  # states between two pictures of the way driven
BRIEF = 1.0  # [s] after which a plan is no longer shown
CLOUD = ("x", "y", "z", "cost")
CLOUD_LIMIT = 1 << 20  # [bytes] of candidates; more are not drawn


class Picture:
    """Turns a graph's messages, in their order, into what is shown of them.

    Args:
        robot: its name.
        owner: `hardware_id` of the graph's diagnostics: other robots may be on the same topic.
    """

    def __init__(self, robot: str, owner: str) -> None:
        self._robot, self._owner = make_robot(robot), owner
        self._frames = _frames_of(robot)
        self._assembler = MeasurementAssembler(self._robot.spec)
        self._estimator = StateEstimator(self._robot)
        self._point = tracked_point(self._robot.spec)
        self._trail, self._states = Trail(), 0
        self._path: Path | None = None
        self._progress = 0.0
        self._readers: Mapping[str, Callable[[Any], Iterator[Shown]]] = {
            **dict.fromkeys(("adaptation", "/diagnostics"), self._on_diagnostics),
            "reference": self._on_reference,
            "plan": self._on_plan,
            "plan/candidates": self._on_candidates,
        }

    @property
    def topics(self) -> frozenset[str]:
        """Return the topics of the graph that the picture is made of."""
        return frozenset((*self._readers, *self._assembler.topics))

    def still(self) -> Iterator[Shown]:
        """Yield what does not depend on any message: the robot's shapes."""
        if self._frames is not None:
            yield Shown(ROBOT, shapes(self._frames), latched=True)

    def restart(self) -> None:
        """Forget the way driven and the measurement before: time has jumped."""
        self._trail.clear()
        self._estimator.reset()
        self._assembler = MeasurementAssembler(self._robot.spec)
        self._progress = 0.0

    def take(self, topic: str, message: Any) -> Iterator[Shown]:
        """Yield what a message of the graph's topic changes in the picture.

        Nothing of a message that is not as the graph sends it.
        """
        read = self._readers.get(topic)
        try:
            if read is not None:
                yield from read(message)
            elif topic in self._assembler.topics:
                yield from self._on_measured(topic, message)
        except (AttributeError, LookupError, TypeError, ValueError, UserError):
            return

    def _on_measured(self, topic: str, message: Any) -> Iterator[Shown]:
        measurement = self._assembler.add(topic, message)
        if measurement is None:
            return
        state = self._estimator.update(measurement)
        if self._frames is not None:
            yield Shown(TRANSFORMS, tuple(self._frames.transforms(state)))
        if self._point is not None:
            self._trail.add(self._point.of(state))
            if self._states % TRAIL_EVERY == 0:
                line = Line(self._trail.points, BLUE, width=3.0)
                driven = Entity("driven", self._point.frame, lines=(line,))
                yield Shown(DRIVEN, (driven,), latched=True)
            self._states += 1
        yield from self._tracking(state)

    def _tracking(self, state: Array) -> Iterator[Shown]:
        """Yield how far the robot is from its path, and how far along it."""
        pose = self._robot.pose(state)
        if self._path is None or pose is None or not math.isfinite(sum(pose)):
            return
        self._progress, error = self._path.project(pose[:2], self._progress)
        yield Shown(TRACKING, {"cross_track_m": error, "progress_m": self._progress})

    def _on_diagnostics(self, message: Any) -> Iterator[Shown]:
        for line in message.status:
            if line.hardware_id == self._owner:
                values = {pair.key: pair.value for pair in line.values}
                task = task_of(line)
                yield Shown(topic_of(task), figures(task, values))

    def _on_reference(self, message: Any) -> Iterator[Shown]:
        points = _points(message)
        self._path, self._progress = None, 0.0
        yield Shown(
            REFERENCE,
            (Entity("reference", MAP, lines=(Line(points, GREY, width=3.0),)),),
            latched=True,
        )
        self._path = Path.from_points(points[:, :2])

    def _on_plan(self, message: Any) -> Iterator[Shown]:
        line = Line(_points(message), WHITE, width=4.0)
        yield Shown(PLAN, (Entity("plan", MAP, lines=(line,), seconds=BRIEF),))

    def _on_candidates(self, message: Any) -> Iterator[Shown]:
        points, costs = read_cloud(message)
        lines = tuple(
            Line(row, colour, width=1.5) for row, colour in zip(points, colours(costs), strict=True)
        )
        frame = message.header.frame_id
        entity = Entity("candidates", frame, lines=lines, seconds=BRIEF)
        yield Shown(CANDIDATES, (entity,))


def _frames_of(robot: str) -> Frames | None:
    """Return a robot's frames; None if it has no MuJoCo model, as one of another package may."""
    try:
        return make_frames(robot)
    except UserError:
        return None


def read_cloud(message: Any) -> tuple[Array, Array]:
    """Return points (K, H+1, 3) and costs (K,) of the cloud that the controller publishes.

    Raises:
        ValueError: another cloud.
    """
    names = tuple(field.name for field in message.fields)
    rows, steps, data = int(message.height), int(message.width), bytes(message.data)
    if names != CLOUD or len(data) != 16 * rows * steps or not 0 < len(data) <= CLOUD_LIMIT:
        raise ValueError(f"candidates: expected a cloud of {CLOUD}, got {names}")
    cloud = np.frombuffer(data, "<f4").reshape(rows, steps, 4).astype(np.float64)
    return cloud[..., :3], cloud[:, 0, 3]


def colours(costs: Array) -> list[Colour]:
    """Return a colour for each cost (K,), from green for the least to red for the largest.

    By rank: one roll-out that fails would leave all others one colour.
    """
    ranks = np.argsort(np.argsort(costs, kind="stable"), kind="stable")
    shares = ranks / max(1, len(costs) - 1)
    return [(min(1.0, 2 * s), min(1.0, 2 * (1 - s)), 0.1, 0.8) for s in shares.tolist()]


def _points(message: Any) -> Array:
    """Return the points (n, 3) [m] of a path."""
    places = [pose.pose.position for pose in message.poses]
    return np.array([(p.x, p.y, p.z) for p in places], dtype=np.float64).reshape(-1, 3)
