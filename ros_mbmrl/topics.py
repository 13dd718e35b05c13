"""The topics of the graph: names, types, and quality of service. Imports no ROS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Qos:
    """Quality of service. latched: who subscribes later still gets the last `depth` messages."""

    depth: int
    reliable: bool = True
    latched: bool = False


# Both ends of a topic take it from this table, and so do recordings.
QOS: Mapping[str, Qos] = MappingProxyType(
    {
        "state": Qos(20),
        # Deep enough for those who must see every command; those who act on it take the newest.
        "command": Qos(10),
        "latched": Qos(1, latched=True),
        "diagnostics": Qos(50),
        "sensor": Qos(5, reliable=False),
    }
)


@dataclass(frozen=True)
class Topic:
    """A topic of the graph. qos: a name in QOS. A name with `/` in front is global."""

    name: str
    type: str
    qos: str


# One sample of every state topic is published at each control step, all with the same stamp.
TOPICS: tuple[Topic, ...] = (
    Topic("joint_states", "sensor_msgs/msg/JointState", "state"),
    Topic("odom", "nav_msgs/msg/Odometry", "state"),
    Topic("imu", "sensor_msgs/msg/Imu", "state"),
    Topic("back_emf", "sensor_msgs/msg/JointState", "state"),
    Topic("battery", "sensor_msgs/msg/BatteryState", "state"),
    Topic("tool_points", "geometry_msgs/msg/PoseArray", "state"),
    Topic("sensor_time", "sensor_msgs/msg/TimeReference", "state"),
    Topic("command/proposed", "sensor_msgs/msg/JointState", "command"),
    Topic("command/safe", "sensor_msgs/msg/JointState", "command"),
    # Each command as its receiver heard it; the sender compares it with what it sent.
    Topic("command/proposed/heard", "sensor_msgs/msg/JointState", "command"),
    Topic("command/heard", "sensor_msgs/msg/JointState", "command"),
    Topic("adaptation", "diagnostic_msgs/msg/DiagnosticArray", "state"),
    Topic("plan", "nav_msgs/msg/Path", "state"),
    Topic("reference", "nav_msgs/msg/Path", "latched"),
    Topic("reference/set", "nav_msgs/msg/Path", "state"),
    Topic("safety/state", "std_msgs/msg/Bool", "latched"),
    Topic("episode", "diagnostic_msgs/msg/DiagnosticArray", "latched"),
    Topic("joy", "sensor_msgs/msg/Joy", "sensor"),
    Topic("/diagnostics", "diagnostic_msgs/msg/DiagnosticArray", "diagnostics"),
    Topic("/clock", "rosgraph_msgs/msg/Clock", "sensor"),
)


def topic(name: str) -> Topic:
    """The topic called `name`. Raises KeyError: which topics there are is not up to users."""
    return {known.name: known for known in TOPICS}[name]
