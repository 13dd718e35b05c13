"""A base with two driven wheels, as if somebody else had written it: nothing of ros_mbmrl in here.

`python base.py` plays it on ROS 2 topics in real time, until Ctrl-C: /cmd_vel (Twist) in, /odom
out, at 50 Hz. `python base.py --bag FOLDER` writes what `ros2 bag record /cmd_vel /odom` would have
written of a drive by hand, without waiting for it.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

ODOMETRY, TWIST = "nav_msgs/msg/Odometry", "geometry_msgs/msg/Twist"
BEGIN = 1_700_000_000_000_000_000  # [ns] of the bag
PERIOD = 0.02  # [s]
TRACK = 0.24  # [m] between the wheels
LAG = 0.12  # [s] of the wheels' speed controllers
PULL = 1.5  # [m/s^2] that they can accelerate the wheels by
TIMEOUT = 0.5  # [s] without a command after which it stops, as bases do
NOISE = SimpleNamespace(place=0.002, yaw=0.003, speed=0.01, rate=0.02)  # [m], [rad], [m/s], [rad/s]


class Base:
    """Physics of the base: wheels with a lag, which may lose grip or have to move a load.

    Attributes:
        x, y, yaw, speed, rate: where it is and how it moves [m], [rad], [m/s], [rad/s].
        grip: share of a wheel's speed that its tyre brings to the ground, left and right.
        load: factor on the lag, and on the time that it needs to accelerate.
    """

    def __init__(self, seed: int = 0) -> None:
        self.x = self.y = self.yaw = self.speed = self.rate = 0.0
        self.grip, self.load = [1.0, 1.0], 1.0
        self._wheels = [0.0, 0.0]
        self._random = random.Random(seed)

    def step(self, speed: float, rate: float) -> None:
        """Move for a period under a command [m/s], [rad/s]."""
        wanted = speed - rate * TRACK / 2, speed + rate * TRACK / 2
        for k, each in enumerate(wanted):
            change = (each - self._wheels[k]) * PERIOD / (LAG * self.load)
            most = PULL * PERIOD / self.load
            self._wheels[k] += min(max(change, -most), most)
        left, right = (w * grip for w, grip in zip(self._wheels, self.grip, strict=True))
        self.speed, self.rate = (left + right) / 2, (right - left) / TRACK
        self.x += self.speed * math.cos(self.yaw + self.rate * PERIOD / 2) * PERIOD
        self.y += self.speed * math.sin(self.yaw + self.rate * PERIOD / 2) * PERIOD
        self.yaw = math.remainder(self.yaw + self.rate * PERIOD, 2 * math.pi)

    def break_down(self, name: str) -> None:
        """Break: `payload` is a load that it was not made for, `tyre` one that loses grip."""
        if name in ("payload", "both"):
            self.load = 2.5
        if name in ("tyre", "both"):
            self.grip[1] = 0.7

    def odometry(self) -> tuple[float, float, float, float, float]:
        """Return x, y, yaw, speed, rate as a localisation measures them."""
        draw = self._random.gauss
        return (
            self.x + draw(0.0, NOISE.place),
            self.y + draw(0.0, NOISE.place),
            self.yaw + draw(0.0, NOISE.yaw),
            self.speed + draw(0.0, NOISE.speed),
            self.rate + draw(0.0, NOISE.rate),
        )


def fill(message: Any, odometry: tuple[float, float, float, float, float]) -> None:
    """Write what is measured into an Odometry."""
    x, y, yaw, speed, rate = odometry
    message.header.frame_id, message.child_frame_id = "map", "base_link"
    pose, twist = message.pose.pose, message.twist.twist
    pose.position.x, pose.position.y = x, y
    pose.orientation.w, pose.orientation.z = math.cos(yaw / 2), math.sin(yaw / 2)
    twist.linear.x, twist.angular.z = speed, rate


def play(arguments: argparse.Namespace) -> None:
    """Play the base on its topics until Ctrl-C."""
    import rclpy
    from geometry_msgs.msg import Twist
    from nav_msgs.msg import Odometry
    from rclpy.executors import ExternalShutdownException

    rclpy.init()
    node, base = rclpy.create_node("base"), Base(arguments.seed)
    told = SimpleNamespace(speed=0.0, rate=0.0, at=-math.inf, moving_since=math.inf)
    odom = node.create_publisher(Odometry, "/odom", 5)
    clock = node.get_clock()

    def on_command(message: Twist) -> None:
        told.speed, told.rate = message.linear.x, message.angular.z
        told.at = clock.now().nanoseconds * 1e-9
        if told.speed or told.rate:
            told.moving_since = min(told.moving_since, told.at)

    def on_timer() -> None:
        now = clock.now().nanoseconds * 1e-9
        if now - told.moving_since > arguments.after:
            base.break_down(arguments.fault)
        late = now - told.at > TIMEOUT
        base.step(0.0 if late else told.speed, 0.0 if late else told.rate)
        message = Odometry()
        message.header.stamp = clock.now().to_msg()
        fill(message, base.odometry())
        odom.publish(message)

    node.create_subscription(Twist, "/cmd_vel", on_command, 5)
    node.create_timer(PERIOD, on_timer)
    print("base: waiting for /cmd_vel", flush=True)
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        return


def record(arguments: argparse.Namespace) -> None:
    """Write a bag of a drive by hand."""
    from rosbags.rosbag2 import StoragePlugin, Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    base, driver = Base(arguments.seed), Driver(arguments.seed + 1)
    base.load, base.grip = arguments.load, [arguments.grip_left, arguments.grip_right]
    with Writer(Path(arguments.bag), version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        out = {
            topic: writer.add_connection(topic, kind, typestore=store)
            for topic, kind in (("/odom", ODOMETRY), ("/cmd_vel", TWIST))
        }
        for step in range(round(60 * arguments.minutes / PERIOD)):
            stamp = BEGIN + round(step * PERIOD * 1e9)
            speed, rate = driver.command(step * PERIOD, base)
            if step % 5 == 0:  # a joystick speaks ten times a second
                twist = blank(store, TWIST)
                twist.linear.x, twist.angular.z = speed, rate
                writer.write(out["/cmd_vel"], stamp, store.serialize_cdr(twist, TWIST))
            base.step(speed, rate)
            odometry = blank(store, ODOMETRY)
            odometry.header.stamp.sec, odometry.header.stamp.nanosec = divmod(stamp, 10**9)
            fill(odometry, base.odometry())
            writer.write(out["/odom"], stamp, store.serialize_cdr(odometry, ODOMETRY))


class Driver:
    """A person at a joystick: another command every half a second or so, back before the wall."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._command, self._until = (0.0, 0.0), 1.0

    def command(self, now: float, base: Base) -> tuple[float, float]:
        """Return speed and yaw rate [m/s], [rad/s] at a time [s]."""
        if now >= self._until:
            self._command = self._random.uniform(-0.3, 0.6), self._random.uniform(-2.0, 2.0)
            if math.hypot(base.x, base.y) > 1.5:
                home = math.atan2(-base.y, -base.x)
                turn = 2.0 * math.remainder(home - base.yaw, 2 * math.pi)
                self._command = 0.3, min(max(turn, -2.0), 2.0)
            self._until = now + self._random.uniform(0.2, 0.8)
        return self._command


def blank(store: Any, name: str) -> Any:
    """Return a message with zeros everywhere."""
    values: dict[str, Any] = {}
    for field, (kind, of) in store.fielddefs[name][1]:
        if kind.name == "NAME":
            values[field] = blank(store, of)
        elif kind.name == "BASE":
            values[field] = "" if of[0] == "string" else 0
        else:
            values[field] = np.zeros(of[1])
    return store.types[name](**values)


def main() -> None:
    """Read the command line and play, or record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fault", choices=("", "payload", "tyre", "both"), default="")
    parser.add_argument("--after", type=float, default=20.0, help="s of driving until it breaks")
    parser.add_argument("--bag", default="", help="folder of a bag to write instead")
    parser.add_argument("--minutes", type=float, default=5.0, help="length of the bag")
    parser.add_argument("--load", type=float, default=1.0, help="of the bag's base; 1: none")
    parser.add_argument("--grip-left", type=float, default=1.0, help="of a tyre of the bag's base")
    parser.add_argument("--grip-right", type=float, default=1.0, help="of the other one")
    parser.add_argument("--seed", type=int, default=0, help="of noise and of the drive")
    arguments = parser.parse_args()
    if arguments.bag and Path(arguments.bag).exists():
        sys.exit(f"{arguments.bag} is there already: expected a new folder")
    (record if arguments.bag else play)(arguments)


if __name__ == "__main__":
    main()
