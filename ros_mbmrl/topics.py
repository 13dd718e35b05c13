"""The topics of the graph: names, types, and quality of service. Imports no ROS by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
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
    # Of a robot that measures it in the map frame: `odom` holds velocities in the body's.
    Topic("velocity", "geometry_msgs/msg/Vector3Stamped", "state"),
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
    # Only for a view: an organised cloud, a row a candidate, each point with its candidate's cost.
    Topic("plan/candidates", "sensor_msgs/msg/PointCloud2", "state"),
    Topic("reference", "nav_msgs/msg/Path", "latched"),
    Topic("reference/set", "nav_msgs/msg/Path", "state"),
    Topic("robot_description", "std_msgs/msg/String", "latched"),
    Topic("safety/state", "std_msgs/msg/Bool", "latched"),
    Topic("episode", "diagnostic_msgs/msg/DiagnosticArray", "latched"),
    Topic("joy", "sensor_msgs/msg/Joy", "sensor"),
    Topic("/diagnostics", "diagnostic_msgs/msg/DiagnosticArray", "diagnostics"),
    Topic("/clock", "rosgraph_msgs/msg/Clock", "sensor"),
)
# For people who look on. Not among the others: their type may not be installed, and a recorder
# makes them itself.
MOVING, STATIC = "/tf", "/tf_static"
TRANSFORMS: tuple[Topic, ...] = (
    Topic(MOVING, "tf2_msgs/msg/TFMessage", "state"),
    Topic(STATIC, "tf2_msgs/msg/TFMessage", "latched"),
)


# The text of the robot's YAML file, in recordings alone, of a robot that has one.
ROBOT_FILE = Topic("robot_file", "std_msgs/msg/String", "latched")


def topic(name: str) -> Topic:
    """The topic called `name`. Raises KeyError: which topics there are is not up to users."""
    return {known.name: known for known in (*TOPICS, *TRANSFORMS, ROBOT_FILE)}[name]


def message_class(name: str) -> type:
    """Return the Python class of a message type such as `sensor_msgs/msg/JointState`."""
    package, _, kind = name.split("/")
    cls: type = getattr(import_module(f"{package}.msg"), kind)
    return cls
