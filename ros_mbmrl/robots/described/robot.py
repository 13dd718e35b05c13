"""DescribedRobot: a robot as its file describes it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ros_mbmrl.errors import choose
from ros_mbmrl.robots.angles import roll_pitch_yaw, yaw_of
from ros_mbmrl.robots.described.description import FLOATING, KNOWN, PLANAR, Description
from ros_mbmrl.robots.described.estimate import Estimate
from ros_mbmrl.robots.described.maps import FloatingPose, Map, NoPose, PlanarPose, Scalars
from ros_mbmrl.robots.paths import PATHS, make_path
from ros_mbmrl.robots.quantities import Quantity
from ros_mbmrl.robots.spec import Array, Robot, RobotSpec

if TYPE_CHECKING:
    from torch import Tensor

    from ros_mbmrl.robots.task import Task

UNITS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("x", "y", "z", "forward", "left", "upward"), "m"),
        **dict.fromkeys(("yaw", "pitch", "roll"), "rad"),
        **dict.fromkeys(("cos_yaw", "sin_yaw", "qw", "qx", "qy", "qz"), "1"),
    }
)
# The path is followed in x, y and yaw: their errors count more.
FOLLOWED: Mapping[str, float] = MappingProxyType({"forward": 4.0, "left": 4.0, "yaw": 8.0})
SLOW = 0.5  # of the largest speed, on the way back from the fence


class DescribedRobot(Robot):
    """A robot of a file. See `Robot`.

    Args:
        description: the file's.
    """

    def __init__(self, description: Description) -> None:
        self.description = description
        self._pose = _pose_of(description)
        every = description.scalars
        self._scalars = Scalars(
            tuple(each.name for each in every),
            wraps=frozenset(each.name for each in every if each.wraps),
            seen=frozenset(each.name for each in every if each.seen),
            predicted=frozenset(each.name for each in every if each.predicted),
        )
        self._parts: tuple[Map, Map] = self._pose, self._scalars
        self._split = [len(part.states) for part in self._parts]
        self._changes = [len(part.changes) for part in self._parts]
        self._estimate = Estimate(description, self._pose)
        self.spec = _spec(description, self._parts)
        self.safety = description.safety
        if description.planner:
            self.planner = description.planner  # type: ignore[misc]
        if description.method:
            self.method = description.method  # type: ignore[misc]

    def estimate(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        """See `Robot.estimate`. Any leading dimensions."""
        return self._estimate(measurement, previous, dt)

    def pose(self, state: Array) -> tuple[float, float, float] | None:
        """See `Robot.pose`."""
        if self.description.kind == PLANAR:
            return float(state[0]), float(state[1]), math.atan2(state[3], state[2])
        if self.description.kind == FLOATING:
            return float(state[0]), float(state[1]), yaw_of(*state[3:7])
        return None

    def tilt(self, state: Array) -> float:
        """See `Robot.tilt`."""
        if self.description.kind != FLOATING:
            return 0.0
        roll, pitch, _ = np.abs(roll_pitch_yaw(state[3:7]))
        return float(max(roll, pitch))

    def battery(self, state: Array) -> float | None:
        """See `Robot.battery`."""
        names = [quantity.name for quantity in self.spec.state]
        return float(state[names.index("battery")]) if "battery" in names else None

    def retreat(self, state: Array, target: tuple[float, float]) -> Array:
        """Turn on the spot while facing away from the target, drive once facing it."""
        place, (ahead, turning) = self.pose(state), self.description.drives
        if place is None or not (ahead and turning):
            return self.spec.rest
        x, y, yaw = place
        bearing = math.remainder(math.atan2(target[1] - y, target[0] - x) - yaw, 2 * math.pi)
        names, action = [limit.name for limit in self.spec.action], self.spec.rest
        index, other = names.index(ahead), names.index(turning)
        action[index] = SLOW * max(0.0, math.cos(bearing)) * self.spec.action_high[index]
        action[other] = 2.0 * bearing
        return np.clip(action, self.spec.action_low, self.spec.action_high)

    def features(self, state: Tensor) -> Tensor:
        """See `Robot.features`."""
        import torch

        own = torch.split(state, self._split, dim=-1)
        return torch.cat([p.seen(s) for p, s in zip(self._parts, own, strict=True)], dim=-1)

    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        """See `Robot.difference`."""
        import torch

        before, after = (torch.split(s, self._split, dim=-1) for s in (state, next_state))
        parts = zip(self._parts, before, after, strict=True)
        return torch.cat([part.difference(*own) for part, *own in parts], dim=-1)

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """See `Robot.advance`."""
        import torch

        own = torch.split(state, self._split, dim=-1)
        moves = torch.split(change, self._changes, dim=-1)
        each = [p.advance(s, c) for p, s, c in zip(self._parts, own, moves, strict=True)]
        return torch.cat(each, dim=-1)

    @property
    def follows_paths(self) -> bool:
        """Return whether it has a place, and no other task."""
        return bool(self.description.pose) and not self.description.tasks

    def tasks(self) -> Sequence[str]:
        """Return the file's tasks, or else the paths that every base can follow."""
        return tuple(self.description.tasks) or (tuple(PATHS) if self.description.pose else ())

    def make_task(self, name: str, start: Array) -> Task:
        """Return the task called `name`. Raises UserError."""
        choose("task", name, self.tasks())
        if name in self.description.tasks:
            from ros_mbmrl.robots.described.tasks import make_described_task

            return make_described_task(self, self.description.tasks[name])
        from ros_mbmrl.robots.path_following import PathFollowing

        place = self.pose(start)
        assert place is not None
        return PathFollowing(self, make_path(name).placed(*place))


class SteeredRobot(DescribedRobot):
    """A robot of a file that a joystick can drive: it has commands to go ahead and to turn."""

    def steer(self, forward: float, turn: float) -> Array:
        """Return the command (da,) for a joystick's forward and turn to the left, -1 to 1 each."""
        action, names = self.spec.rest, [limit.name for limit in self.spec.action]
        for name, share in zip(self.description.drives, (forward, turn), strict=True):
            index = names.index(name)
            action[index] = share * self.spec.action_high[index]
        return np.clip(action, self.spec.action_low, self.spec.action_high)


def described_robot(description: Description) -> DescribedRobot:
    """Return the robot of a description."""
    return (SteeredRobot if all(description.drives) else DescribedRobot)(description)


def _pose_of(description: Description) -> Map:
    kinds: Mapping[str, Map] = {PLANAR: PlanarPose(), FLOATING: FloatingPose()}
    return kinds.get(description.kind, NoPose())


def _spec(description: Description, parts: tuple[Map, Map]) -> RobotSpec:
    units = {**UNITS, **{each.name: each.unit for each in description.scalars}}
    changes = [name for part in parts for name in part.changes]
    usual = FOLLOWED if description.kind == PLANAR else {}
    return RobotSpec(
        name=description.name,
        period=description.period,
        measurement=tuple(Quantity(name, units[name]) for name in description.measured),
        channels=_channels(description),
        state=tuple(Quantity(name, units[name]) for part in parts for name in part.states),
        action=description.action,
        features=tuple(name for part in parts for name in part.features),
        changes=tuple(Quantity(name, units[name]) for name in changes),
        change_weights=tuple(
            description.weights.get(name, usual.get(name, 1.0)) for name in changes
        ),
        envelope=description.envelope,
        fail_together=description.fail_together,
    )


def _channels(description: Description) -> tuple[str, ...]:
    """Return where each measured number travels in the graph.

    Places and rates have their own. Joints and all others are in `joint_states`: a command's joint
    at the command's place, the others after them, each as the position of a joint of its name.
    """
    commands = [limit.name for limit in description.action]
    others = [n for n in description.measured if _fixed(n) == "" and n not in commands]
    rates = {f"{n}_velocity": n for n in description.joints}
    named = [*commands, *(name for name in others if name not in rates)]
    found = []
    for name in description.measured:
        field = "velocity" if name in rates else "position"
        place = f"joint_states.{field}.{{}}"
        found.append(_fixed(name) or place.format(named.index(rates.get(name, name))))
    return tuple(found)


def _fixed(name: str) -> str:
    """Return the place of a number that is the same for all robots; empty: it has none."""
    if name in ("x", "y", "z"):
        return f"odom.pose.pose.position.{name}"
    if name in ("qw", "qx", "qy", "qz"):
        return f"odom.pose.pose.orientation.{name[1]}"
    return KNOWN[name][1] if name in KNOWN else ""
