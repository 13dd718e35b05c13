"""Description: all that a robot's file says, checked. No torch: safety and driver read it, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ros_mbmrl.robots.described.marked import Marked
from ros_mbmrl.robots.described.sources import RobotTopic, Sink, Source
from ros_mbmrl.robots.quantities import Limit
from ros_mbmrl.robots.spec import Envelope

PLANAR, FLOATING, ARM, GENERAL = "planar_base", "floating_base", "arm", "general"
KINDS = (PLANAR, FLOATING, ARM, GENERAL)
POSITION, ORIENTATION = ("x", "y", "z"), ("qw", "qx", "qy", "qz")
# Numbers that have a place of their own in the graph's topics, with their units.
KNOWN: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "speed": ("m/s", "odom.twist.twist.linear.x"),
        "lateral_speed": ("m/s", "odom.twist.twist.linear.y"),
        "yaw_rate": ("rad/s", "odom.twist.twist.angular.z"),
        **{f"velocity_{a}": ("m/s", f"odom.twist.twist.linear.{a}") for a in "xyz"},
        **{f"rate_{a}": ("rad/s", f"odom.twist.twist.angular.{a}") for a in "xyz"},
        **{f"gyro_{a}": ("rad/s", f"imu.angular_velocity.{a}") for a in "xyz"},
        **{f"acceleration_{a}": ("m/s^2", f"imu.linear_acceleration.{a}") for a in "xyz"},
        "battery": ("V", "battery.voltage"),
    }
)
UNITS = (
    *("1", "m", "rad", "s", "m/s", "rad/s", "m/s^2", "rad/s^2", "N", "N m", "N/m"),
    *("V", "A", "W", "J", "K", "Pa", "kg", "Hz", "of full torque"),
)


@dataclass(frozen=True)
class Scalar:
    """A number of the state beside the pose.

    Args:
        name, unit: of it.
        wraps: it is an angle whose whole turns do not matter.
        seen: a model sees it.
        predicted: a model predicts its change; otherwise it stays as it is in imagination.
        derived: it is not measured: a difference of the pose, or of another scalar.
        of: the scalar that it is the rate of, if it is derived and not of the pose.
    """

    name: str
    unit: str
    wraps: bool = False
    seen: bool = True
    predicted: bool = True
    derived: bool = False
    of: str = ""


@dataclass(frozen=True)
class TaskDescription:
    """A task of a robot.

    Args:
        kind: goal, cost or run.
        goal: wanted values by state, of a goal.
        scale: error that costs 1, by state, of a goal.
        cost: the formula, of a cost.
        heading, speed: of a run [rad], [m/s].
        place: where the file describes it, for messages.
    """

    kind: str
    goal: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    scale: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    cost: str = ""
    heading: float = 0.0
    speed: float = 0.0
    place: Marked | None = None


@dataclass(frozen=True)
class Description:
    """All that a file says about a robot.

    Args:
        name: of the robot, its topics' namespace.
        kind: one of `KINDS`.
        period: control period [s].
        topics: the robot's own, by their names in the file.
        pose: names of its measured numbers in order: x, y, qw, qx, qy, qz or x, y, yaw of a planar
            base, x to qz of a floating one, none of others.
        joints: names of joints, measured as scalars of these names.
        scalars: the rest of the state, in order.
        sources: where each measured number comes from, by its name; empty: the robot has a twin
            alone.
        transforms: frames whose transforms lead to the pose, if its topic carries transforms.
        action: the commands.
        command_topic: the commands' topic, by its name in the file; empty as `sources`.
        sinks: places of the commands in its messages, by name.
        drives: the command that moves the robot ahead, and the one that turns it left, of a base.
        tasks: by name; of a base that follows paths none are needed.
        envelope: limits of place and state.
        safety: thresholds of the safety monitor that differ from the usual ones.
        weights: of changes in a model's loss, by name, where they are not 1.
        fail_together: groups of commands, see `RobotSpec`.
        planner, method: defaults; empty: the usual ones.
        twin: what the file says about its simulation, read by what makes it; None: it has none.
        file: where the file is.
        text: all of it.
    """

    name: str
    kind: str
    period: float
    topics: Mapping[str, RobotTopic]
    pose: tuple[str, ...]
    joints: tuple[str, ...]
    scalars: tuple[Scalar, ...]
    sources: Mapping[str, Source]
    transforms: tuple[str, ...]
    action: tuple[Limit, ...]
    command_topic: str
    sinks: Mapping[str, Sink]
    drives: tuple[str, str]
    tasks: Mapping[str, TaskDescription]
    envelope: Envelope
    safety: Mapping[str, Any]
    weights: Mapping[str, float]
    fail_together: Mapping[str, tuple[str, ...]]
    planner: str
    method: str
    twin: Marked | None
    file: Path
    text: str

    @property
    def measured(self) -> tuple[str, ...]:
        """Return the names of what is measured, in order: the pose, then scalars."""
        return (*self.pose, *(s.name for s in self.scalars if not s.derived))
