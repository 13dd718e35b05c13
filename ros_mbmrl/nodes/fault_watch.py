"""fault_watch: what the fault campaign sees of the graph, each with the steady time it came."""

from __future__ import annotations

import math
import time
from ast import literal_eval
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from std_msgs.msg import String
from std_srvs.srv import Trigger

from ros_mbmrl.nodes.disturber import CONTROL, RAW
from ros_mbmrl.nodes.messages import nanoseconds, path_message, read_status
from ros_mbmrl.nodes.qos import PROFILES, advertise, listen, message_class
from ros_mbmrl.topics import topic

RADIUS, TURNS = 0.5, 2  # of the circles that the robot walks [m]


@dataclass
class Seen:
    """What came, newest last: (steady time, values). Filled by the executor's thread.

    safety: (level, reasons). driver: values of its timing. poses: x, y [m]. others: values of
    `safety: input`, `driver: plant`, `controller: timing` by name.
    """

    safety: list[tuple[float, str, str]] = field(default_factory=list)
    driver: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    poses: list[tuple[float, float, float, float]] = field(default_factory=list)
    others: dict[str, list[tuple[float, dict[str, str]]]] = field(default_factory=dict)
    stopped: bool = False


class FaultWatch(Node):
    """Watches, steers the robot round in circles, tells the disturber what to do, resets."""

    def __init__(self, disturbed: bool, mocap: str = "", **options: Any) -> None:
        super().__init__("fault_watch", **options)
        self.seen = Seen()
        self._owner = self.get_namespace().strip("/")
        self._control = self.create_publisher(String, CONTROL, PROFILES["latched"])
        self._reference = advertise(self, "reference/set")
        self._reset = self.create_client(Trigger, "safety/reset")
        listen(self, "/diagnostics", self._on_diagnostics)
        listen(self, "safety/state", self._on_stopped)
        truth = "odom" + (RAW if disturbed else "")
        if mocap:  # of the emulated robot: it is there whatever becomes of the graph
            self.create_subscription(PoseStamped, mocap, self._on_mocap, PROFILES["sensor"])
        else:
            self.create_subscription(Odometry, truth, self._on_odom, PROFILES["state"])

    def disturb(self, kind: str = "", topics: str = "") -> None:
        """From now on; nothing: everything passes."""
        self._control.publish(String(data=f"{kind} {topics}"))

    def walk(self) -> None:
        """A circle from where the robot is, turning towards the middle of the arena."""
        if not self.seen.poses:
            return
        _, x, y, yaw = self.seen.poses[-1]
        side = 1.0 if math.cos(yaw) * -y - math.sin(yaw) * -x > 0 else -1.0
        angles = np.linspace(0, 2 * math.pi * TURNS, 120 * TURNS)
        centre = x - side * RADIUS * math.sin(yaw), y + side * RADIUS * math.cos(yaw)
        heading = yaw + side * angles
        xs = centre[0] + side * RADIUS * np.sin(heading)
        ys = centre[1] - side * RADIUS * np.cos(heading)
        stamp = nanoseconds(time.time())
        self._reference.publish(path_message(np.column_stack([xs, ys, heading]).tolist(), stamp))

    def reset(self, patience: float = 2.0) -> tuple[bool, str]:
        """Ask safety to let the robot go again: whether it did, and what it said."""
        if not self._reset.wait_for_service(timeout_sec=patience):
            return False, "no safety node"
        answer = _answer(self._reset.call_async(Trigger.Request()), patience)
        if answer is None:
            return False, "no answer"
        return bool(answer.success), str(answer.message)

    def set_parameter(self, node: str, name: str, value: float, patience: float = 2.0) -> str:
        """Try to set a parameter of a running node: why it was refused, empty if it was not."""
        client = self.create_client(SetParameters, f"{node}/set_parameters")
        if not client.wait_for_service(timeout_sec=patience):
            return ""
        kind = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value)
        request = SetParameters.Request(parameters=[Parameter(name=name, value=kind)])
        answer = _answer(client.call_async(request), patience)
        result = None if answer is None else answer.results[0]
        return "" if result is None or result.successful else str(result.reason)

    def intruder(self, name: str) -> Any:
        """A publisher on a topic of the graph that is none of its own."""
        known = topic(name)
        return self.create_publisher(message_class(known.type), name, PROFILES[known.qos])

    def _on_diagnostics(self, message: Any) -> None:
        now = time.monotonic()
        safety = read_status(message, "safety: state", self._owner)
        if safety is not None:
            self.seen.safety.append((now, safety["level"], safety["reasons"]))
            self._add("safety: input", now, safety)
        driver = read_status(message, "driver: timing", self._owner)
        if driver is not None:
            self.seen.driver.append((now, {k: _number(v) for k, v in driver.items()}))
        for name in ("driver: plant", "controller: timing"):
            values = read_status(message, name, self._owner)
            if values is not None:
                self._add(name, now, values)

    def _add(self, name: str, now: float, values: dict[str, str]) -> None:
        self.seen.others.setdefault(name, []).append((now, values))

    def _on_stopped(self, message: Any) -> None:
        self.seen.stopped = message.data

    def _on_odom(self, message: Any) -> None:
        self._on_pose(message.pose.pose)

    def _on_mocap(self, message: Any) -> None:
        self._on_pose(message.pose)

    def _on_pose(self, pose: Any) -> None:
        q = pose.orientation
        yaw = math.atan2(2 * (q.w * q.z + q.x * q.y), 1 - 2 * (q.y * q.y + q.z * q.z))
        self.seen.poses.append((time.monotonic(), pose.position.x, pose.position.y, yaw))


def _answer(future: Any, patience: float) -> Any:
    """What a service answers, while the executor's thread spins; None if it does not in time."""
    until = time.monotonic() + patience
    while not future.done() and time.monotonic() < until:
        time.sleep(0.005)
    return future.result() if future.done() else None


def _number(text: str) -> Any:
    """A value of diagnostics, written by `repr`."""
    if text in ("nan", "inf", "-inf"):
        return float(text)
    try:
        return literal_eval(text)
    except (ValueError, SyntaxError):
        return text
