"""Measurements, commands, paths and diagnostics as messages, and back without loss.

Stamps are integer nanoseconds on the plant's clock: `seconds` and `nanoseconds` undo each other
for 26 days. All floats travel as float64 but the battery's voltage, which is float32.

Diagnostics, `<namespace>/<node>: <task>`, stamped as the state that they are about, on the plant's
clock like all messages; every value as text (`repr`, so floats come back exactly):
- on /diagnostics, one a control step:
  driver: timing      period_s (since the last observation, steady clock), missed (0/1: no command
                      by the end of this interval), limited (0/1: after a stop of its own the
                      driver gave the plant less than safety sent, see `CatchUp`),
                      offset_s (the command's arrival after the observation; nan if missed),
                      delay_s (when the newest one acted, after the observation that it
                      answers; nan if none did), commanded (what the plant was told last),
                      given (when, on the steady clock, and what: all that the plant was told
                      since the last report, the driver's own stops too),
                      rested_at (since when commanded is to rest, on the steady clock; nan
                      if it is not), missed_deadlines, overruns, rejected,
                      timeouts (totals); run (the parameter of that name, from the first command)
  driver: plant       fault (why the robot cannot be heard or driven, empty if it can), and what
                      the plant counts (`Plant.counters`)
  controller: timing  adapt_ms, plan_ms, wait_ms (for the last command/safe), dropped (transitions,
                      total), skipped (states not planned for, total), delay_s (that the plan
                      reckoned with), cost_min, cost_mean, finite, samples, mode (a label of
                      `planning.modes.Mode`; a warning if degraded)
  controller: tuning  settings by name that were set while it ran, stamped with the first state that
                      they act on; only then
  controller: echo    foreign (commands that safety heard from somebody else, total); only then
  safety: state       level (a name of `Level`), reasons (joined by "; "), malformed, repeated,
                      disordered (messages that safety heard), foreign (commands that the driver
                      heard and that safety did not send), totals
  safety: limits      [low, high] by name of limits that were set while it ran; stamped with the
                      newest state, they act from the next command on; only then
- on adaptation, one a control step:
  dynamics: adaptation  transitions, error_before, error_after, change, accepted, reason, cause
                        (what has failed, of a rule that infers it), probability, since
                        (when it began [s], by the stamps), ms
A command/proposed without names says that the planner found no finite plan.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path
from rclpy.node import Node
from sensor_msgs.msg import JointState, PointCloud2, PointField
from std_msgs.msg import Header

from ros_mbmrl.data.measurement_messages import nanoseconds as nanoseconds
from ros_mbmrl.data.steps import task_of
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.spec import Array, RobotSpec

NANO = 1_000_000_000
MAP = "map"
OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


def seconds(nanoseconds: int) -> float:
    """Integer nanoseconds as a time [s]."""
    return nanoseconds / NANO


def to_stamp(nanoseconds: int) -> Time:
    """Nanoseconds, not negative, as a message stamp."""
    return Time(sec=nanoseconds // NANO, nanosec=nanoseconds % NANO)


def from_stamp(stamp: Time) -> int:
    """A message stamp as nanoseconds."""
    return int(stamp.sec) * NANO + int(stamp.nanosec)


def header(stamp: int, frame: str = "") -> Header:
    """A header with a stamp [ns]."""
    return Header(stamp=to_stamp(stamp), frame_id=frame)


def command_message(spec: RobotSpec, action: Array | None, stamp: int) -> JointState:
    """A command (da,) that answers the measurement stamped `stamp` [ns]; None: no plan."""
    message = JointState(header=header(stamp))
    if action is not None:
        message.name = [limit.name for limit in spec.action]
        setattr(message, spec.command_field, array("d", [float(value) for value in action]))
    return message


def read_command(spec: RobotSpec, message: JointState) -> tuple[int, Array | None]:
    """Stamp [ns] and command (da,), ordered by name; None if the message has no names.

    Raises ValueError for wrong names or sizes. Values are not judged: that is safety's part.
    """
    stamp = from_stamp(message.header.stamp)
    if not message.name:
        return stamp, None
    names = [limit.name for limit in spec.action]
    values = getattr(message, spec.command_field)
    if sorted(message.name) != sorted(names) or len(values) != len(names):
        what = spec.command_field
        raise ValueError(f"expected {names} with one {what} each, got {list(message.name)}")
    given = dict(zip(message.name, values, strict=True))
    return stamp, np.array([given[name] for name in names], dtype=np.float64)


def path_message(poses: Iterable[Sequence[float]], stamp: int) -> Path:
    """A path through (x, y [m], yaw [rad]) poses, or (x, y) points, in the map frame."""
    message = Path(header=header(stamp, MAP))
    for x, y, *rest in poses:
        pose = PoseStamped(header=message.header)
        pose.pose.position.x, pose.pose.position.y = float(x), float(y)
        yaw = float(rest[0]) if rest else 0.0
        pose.pose.orientation.z, pose.pose.orientation.w = np.sin(yaw / 2), np.cos(yaw / 2)
        message.poses.append(pose)
    return message


def read_path(message: Path) -> Array:
    """Return the points (n, 2) [m] of a path in the map frame. Raises UserError for another."""
    frames = [message.header.frame_id, *(pose.header.frame_id or MAP for pose in message.poses)]
    foreign = next((frame for frame in frames if frame != MAP), MAP)
    if foreign != MAP:
        raise UserError(f"path: expected the frame '{MAP}', got '{foreign}'")
    points = [(p.pose.position.x, p.pose.position.y) for p in message.poses]
    return np.array(points, dtype=np.float64).reshape(-1, 2)


def candidates_message(points: Array, costs: Array, frame: str, stamp: int) -> PointCloud2:
    """Return candidate roll-outs as a cloud with a row for each, of x, y, z [m] and cost, float32.

    Args:
        points: (K, H+1, 3) [m] in `frame`.
        costs: (K,).
        stamp: of the state that they begin at [ns].
    """
    rows, steps, _ = points.shape
    each = np.broadcast_to(np.asarray(costs)[:, None, None], (rows, steps, 1))
    data = np.concatenate([points, each], axis=-1).astype("<f4")
    return PointCloud2(
        header=header(stamp, frame),
        height=rows,
        width=steps,
        fields=[
            PointField(name=name, offset=4 * k, datatype=PointField.FLOAT32, count=1)
            for k, name in enumerate(("x", "y", "z", "cost"))
        ],
        point_step=16,
        row_step=16 * steps,
        data=array("B", data.tobytes()),
        is_dense=bool(np.isfinite(data).all()),
    )


def status(
    node: str,
    task: str,
    hardware: str,
    values: Mapping[str, object],
    level: bytes = OK,
    message: str = "",
) -> DiagnosticStatus:
    """Return one line of diagnostics, called `<hardware>/<node>: <task>`."""
    return DiagnosticStatus(
        level=level,
        name=f"{hardware}/{node}: {task}",
        message=message,
        hardware_id=hardware,
        values=[
            KeyValue(key=key, value=value if isinstance(value, str) else repr(value))
            for key, value in values.items()
        ],
    )


def diagnostics(stamp: int, *lines: DiagnosticStatus) -> DiagnosticArray:
    """Diagnostics about the control step stamped `stamp` [ns]."""
    return DiagnosticArray(header=header(stamp), status=list(lines))


def read_number(values: Mapping[str, str], key: str) -> float:
    """A number of a line of diagnostics; nan if there is none."""
    try:
        return float(values[key])
    except (KeyError, ValueError):
        return math.nan


def owner_of(node: Node, spec: RobotSpec) -> str:
    """Return the `hardware_id` of a graph's diagnostics: its namespace, else the robot's name.

    Every robot of a domain speaks on `/diagnostics`; two of one kind differ in their namespace.
    """
    return node.get_namespace().strip("/") or spec.name


def read_status(message: DiagnosticArray, name: str, owner: str) -> dict[str, str] | None:
    """Return the values of the line called `<owner>/<name>`, if the message has one."""
    for line in message.status:
        if task_of(line) == name and line.hardware_id == owner:
            return {pair.key: pair.value for pair in line.values}
    return None
