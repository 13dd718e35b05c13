"""fault_watch: what the fault campaign sees of the graph, each with the steady time it came."""

from __future__ import annotations

import math
import re
import time
from ast import literal_eval
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from sensor_msgs.msg import Joy
from std_msgs.msg import String
from std_srvs.srv import Trigger

from ros_mbmrl.collection.joystick import JoystickConfig
from ros_mbmrl.nodes.disturber import CONTROL, RAW
from ros_mbmrl.nodes.messages import (
    ERROR,
    diagnostics,
    from_stamp,
    header,
    nanoseconds,
    path_message,
    read_status,
    seconds,
    status,
)
from ros_mbmrl.nodes.qos import PROFILES, advertise, listen, message_class
from ros_mbmrl.nodes.timers import every
from ros_mbmrl.topics import topic

RADIUS, TURNS = 0.5, 2  # of the circles that the robot walks [m]
BEAT = 0.05  # [s] between two messages of the gamepad and of the neighbour
NEIGHBOUR = "half_cheetah"
# Each of these would latch a stop or be reckoned with, if the graph took it for its own.
NEIGHBOURS: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "driver: plant": {"fault": "the neighbour's robot cannot be heard"},
        "driver: timing": {"commanded": (9.0, 9.0), "delay_s": 0.5, "missed": 1},
        "controller: echo": {"foreign": 1},
        "safety: state": {"level": "LATCHED", "reasons": "stop_requested: the neighbour's"},
    }
)


@dataclass
class Seen:
    """Received messages, newest last: (steady time, values). Filled by the executor's thread.

    safety: (level, reasons, stamp [s] of the state that it answers). driver: values of its timing.
    poses: x, y [m]. others: values of `safety: input`, `driver: plant`, `controller: timing`, by
    name.
    """

    safety: list[tuple[float, str, str, float]] = field(default_factory=list)
    driver: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    poses: list[tuple[float, float, float, float]] = field(default_factory=list)
    others: dict[str, list[tuple[float, dict[str, str]]]] = field(default_factory=dict)
    stopped: bool = False

    @property
    def walked(self) -> float:
        """Seconds on the plant's clock since the robot was first told to move."""
        told = (values["stamp_s"] for _, values in self.driver if any(values["commanded"]))
        return float(self.driver[-1][1]["stamp_s"] - next(told, math.inf))


class Gamepad:
    """A gamepad on `joy`: its dead-man button pressed, its stick forward and to the left.

    trouble: how it is broken, see `catalogue.gamepad_faults`; empty: a thumb trembles on it.
    """

    def __init__(self, node: Node) -> None:
        self.pressed, self.trouble = False, ""
        self._node, self._count = node, 0
        self._stamp = 0  # of the newest message [ns]
        self._begins = False
        self._joy = advertise(node, "joy")
        every(node, BEAT, self._speak)

    def begin(self) -> None:
        """Press the button that begins an episode, in the next message."""
        self._begins = True

    def _speak(self) -> None:
        if not self.pressed or self.trouble == "silent":
            return
        if self.trouble != "same_bits":
            self._count += 1
        if self.trouble != "old_stamps":
            self._stamp = time.monotonic_ns()
        tremble = 1e-3 * (self._count % 2)
        message = Joy(header=header(self._stamp), axes=[0.5, 0.5 + tremble], buttons=[0] * 8)
        message.buttons[JoystickConfig().deadman_button] = 1
        message.buttons[JoystickConfig().episode_button] = int(self._begins)
        self._begins = False
        self._joy.publish(message)


class FaultWatch(Node):
    """Watches, steers the robot round in circles, tells the disturber what to do, resets.

    poses: what the robot itself appends to, if it is in this process.
    """

    def __init__(
        self,
        disturbed: bool,
        mocap: str = "",
        poses: list[tuple[float, float, float, float]] | None = None,
        **options: Any,
    ) -> None:
        super().__init__("fault_watch", **options)
        self.seen = Seen() if poses is None else Seen(poses=poses)
        self._owner = self.get_namespace().strip("/")
        self._control = self.create_publisher(String, CONTROL, PROFILES["latched"])
        self._reference = advertise(self, "reference/set")
        self._reset = self.create_client(Trigger, "safety/reset")
        self._stop = self.create_client(Trigger, "safety/stop")
        self.gamepad = Gamepad(self)
        self._others = advertise(self, "/diagnostics")
        self.neighbour = False  # whether another robot's faults are told on the shared topic
        every(self, BEAT, self._tell_neighbours)
        listen(self, "/diagnostics", self._on_diagnostics)
        listen(self, "safety/state", self._on_stopped)
        truth = "odom" + (RAW if disturbed else "")
        if poses is not None:
            return
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

    def stop(self) -> None:
        """Ask safety to stop the robot; `seen` tells whether it does."""
        self._stop.call_async(Trigger.Request())

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
        now, stamp = time.monotonic(), seconds(from_stamp(message.header.stamp))
        safety = read_status(message, "safety: state", self._owner)
        if safety is not None:
            self.seen.safety.append((now, safety["level"], safety["reasons"], stamp))
            self._add("safety: input", now, safety)
        driver = read_status(message, "driver: timing", self._owner)
        if driver is not None:
            numbers = {key: _number(value) for key, value in driver.items()}
            self.seen.driver.append((now, {**numbers, "stamp_s": stamp}))
        for name in ("driver: plant", "controller: timing"):
            values = read_status(message, name, self._owner)
            if values is not None:
                self._add(name, now, values)

    def _tell_neighbours(self) -> None:
        if not self.neighbour:
            return
        stamp = nanoseconds(self.seen.driver[-1][1]["stamp_s"]) if self.seen.driver else 0
        for name, values in NEIGHBOURS.items():
            node, _, task = name.partition(": ")
            line = status(node, task, NEIGHBOUR, values, ERROR)
            self._others.publish(diagnostics(stamp, line))

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
    """Call a service while the executor's thread spins; return None if no answer comes in time."""
    until = time.monotonic() + patience
    while not future.done() and time.monotonic() < until:
        time.sleep(0.005)
    return future.result() if future.done() else None


def _number(text: str) -> Any:
    """Return a value of diagnostics, written by `repr`; a nan within a tuple is None."""
    if text == "nan":
        return math.nan
    try:
        return literal_eval(re.sub(r"\binf\b", "1e999", re.sub(r"\bnan\b", "None", text)))
    except (ValueError, SyntaxError):
        return text
