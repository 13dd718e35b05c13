"""Drafts of usual robots: a base on odometry, and joints under a controller of ros2_control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.description import ARM, GENERAL, PLANAR
from ros_mbmrl.robots.described.draft import (
    Draft,
    DraftCommand,
    DraftTopic,
    goal,
    identifier,
    quoted,
)
from ros_mbmrl.robots.described.sources import TWIST

ODOMETRY, JOINT_STATE = "nav_msgs/msg/Odometry", "sensor_msgs/msg/JointState"
NUMBERS, TRAJECTORY = "std_msgs/msg/Float64MultiArray", "trajectory_msgs/msg/JointTrajectory"
BASE_PERIOD, ARM_PERIOD = 0.1, 0.05  # [s]
SPEED, TURN, JOINT = 0.3, 1.0, 0.5  # [m/s], [rad/s], [rad/s]: slow enough to begin with
EFFORT = 1.0  # [N m]
TAKES = ("velocity", "position", "effort")


@dataclass(frozen=True)
class Joint:
    """A joint that is commanded.

    Args:
        name: as the robot has it.
        limits: of its position; None: it has none, or they are not known.
        fastest, strongest: limits of its velocity and its effort; 0: not known.
        linear: it slides [m].
        endless: it turns without end.
        takes: one of `TAKES`; empty: not known.
    """

    name: str
    limits: tuple[float, float] | None = None
    fastest: float = 0.0
    strongest: float = 0.0
    linear: bool = False
    endless: bool = False
    takes: str = ""

    @property
    def unit(self) -> str:
        """Return the unit of its position."""
        return "m" if self.linear else "rad"


def base_draft(
    name: str,
    period: float = BASE_PERIOD,
    odom: tuple[str, str] = ("/odom", ODOMETRY),
    drive: tuple[str, str] = ("/cmd_vel", TWIST),
    limits: Mapping[str, tuple[float, float]] | None = None,
) -> Draft:
    """Return the draft of a base in the plane.

    Args:
        name, period: of the robot.
        odom, drive: name and type of the topics of its pose and its commands.
        limits: of the commands `speed` and `yaw_rate`.
    """
    spans = {"speed": (-SPEED, SPEED), "yaw_rate": (-TURN, TURN), **(limits or {})}
    inside = "twist." if drive[1].endswith("Stamped") else ""
    pose = {ODOMETRY: "pose.pose", "geometry_msgs/msg/PoseWithCovarianceStamped": "pose.pose"}
    measured = {"pose": f"odom.{pose.get(odom[1], 'pose')}"}
    if odom[1] == ODOMETRY:
        measured["speed"] = "odom.twist.twist.linear.x"
        measured["yaw_rate"] = "odom.twist.twist.angular.z"
    either = "Twist or TwistStamped, whichever it takes" if drive[1] == TWIST else ""
    return Draft(
        name=name,
        kind=PLANAR,
        period=period,
        topics=(DraftTopic("odom", *odom), DraftTopic("drive", *drive, either)),
        measured=measured,
        commands=(
            DraftCommand("speed", "m/s", *spans["speed"], f"{inside}linear.x"),
            DraftCommand("yaw_rate", "rad/s", *spans["yaw_rate"], f"{inside}angular.z"),
        ),
        command="drive",
    )


def joints_draft(
    name: str,
    joints: Sequence[Joint],
    takes: str,
    period: float = ARM_PERIOD,
    states: str = "/joint_states",
    command: tuple[str, str] = ("", ""),
    velocity: str = "measured",
) -> Draft:
    """Return the draft of a robot of joints under ros2_control.

    Args:
        name, period: of the robot.
        joints: in the controller's order.
        takes: what its controller takes, one of `TAKES`.
        states: topic of `joint_state_broadcaster`.
        command: the controller's topic and its type; empty: the usual one.
        velocity: see the section `joints` of the file.

    Raises:
        UserError: there is no joint, or joints that turn and that slide.
    """
    if not joints:
        raise UserError("expected joints, got none")
    if len({each.linear for each in joints}) > 1:
        raise UserError("expected joints that all turn, or all slide: others are for 'measured'")
    names = _names(joints)
    topic, kind = command if command[0] else usual_controller(takes)
    limits = {names[each.name]: each.limits for each in joints if each.limits is not None}
    draft = Draft(
        name=name,
        kind=ARM,
        period=period,
        topics=(DraftTopic("joints", states, JOINT_STATE), DraftTopic("command", topic, kind)),
        commands=tuple(
            _command(each, names[each.name], takes, kind, k) for k, each in enumerate(joints)
        ),
        command="command",
        limits=limits,
        tasks=(goal("middle", list(names.values()), limits),),
    )
    if any(own != each for each, own in names.items()):
        return replace(draft, kind=GENERAL, measured=_measured(joints, names, velocity))
    endless = tuple(each.name for each in joints if each.endless)
    unit, own = joints[0].unit, tuple(names.values())
    joined = replace(draft, joints=own, joint_topic="joints", endless=endless)
    return replace(joined, velocity=velocity, unit=unit)


def usual_controller(takes: str) -> tuple[str, str]:
    """Return topic and type of the controller of ros2_control that takes what is named."""
    if takes == "position":
        return "/joint_trajectory_controller/joint_trajectory", TRAJECTORY
    return f"/forward_{takes}_controller/commands", NUMBERS


def field_of(kind: str, takes: str, joint: str, place: int) -> str:
    """Return where a joint's command is in a message.

    Args:
        kind: type of the message.
        takes: one of `TAKES`.
        joint: as the robot calls it.
        place: of the joint in the controller's order.

    Raises:
        UserError: not a type that is known here.
    """
    if kind == TRAJECTORY:
        array = {"position": "positions", "velocity": "velocities", "effort": "effort"}[takes]
        return f"points[0].{array}[{joint}]"
    if kind == JOINT_STATE:
        return f"{takes}[{joint}]"
    if kind.endswith("MultiArray"):
        return f"data[{place}]"
    known = ", ".join((NUMBERS, TRAJECTORY, JOINT_STATE))
    raise UserError(f"commands as {kind}: expected one of {known}; write others by hand")


def _names(joints: Sequence[Joint]) -> dict[str, str]:
    """Return names for the file by the joints' own; they differ where those cannot be names."""
    found: dict[str, str] = {}
    for each in joints:
        own = each.name if each.name.isidentifier() else identifier(each.name)
        while own in found.values():
            own += "_"
        found[each.name] = own
    return found


def _command(joint: Joint, name: str, takes: str, kind: str, place: int) -> DraftCommand:
    path = field_of(kind, takes, joint.name, place)
    if takes == "effort":
        most = joint.strongest or EFFORT
        note = "" if joint.strongest else "not known: LOOK AT IT"
        return DraftCommand(
            f"{name}_effort", "N" if joint.linear else "N m", -most, most, path, note=note
        )
    most = joint.fastest or JOINT
    note = "" if joint.fastest else "not known: LOOK AT IT"
    integrates = name if takes == "position" else ""
    return DraftCommand(f"{name}_rate", f"{joint.unit}/s", -most, most, path, integrates, note)


def _measured(joints: Sequence[Joint], names: Mapping[str, str], velocity: str) -> dict[str, str]:
    """Return the section of joints whose names cannot be names of numbers."""
    found: dict[str, str] = {}
    for each in joints:
        place = quoted(f"joints.position[{each.name}]")
        wraps = ", wraps: true" if each.endless else ""
        found[names[each.name]] = f"{{source: {place}, unit: {each.unit}{wraps}}}"
    for each in joints if velocity == "measured" else ():
        place = quoted(f"joints.velocity[{each.name}]")
        found[f"{names[each.name]}_velocity"] = f"{{source: {place}, unit: {each.unit}/s}}"
    return found
