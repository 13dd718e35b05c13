"""far_side: plays a robot of a file on its own topics for the fault campaign, whole and broken."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from ros_mbmrl.data.described_topics import inside
from ros_mbmrl.faults import robot_faults as faults
from ros_mbmrl.faults.kinematics import Kinematics, settled
from ros_mbmrl.nodes.messages import header, nanoseconds
from ros_mbmrl.nodes.robot_topics import RobotTopics
from ros_mbmrl.nodes.timers import every
from ros_mbmrl.plants.topics.bus import Outlet
from ros_mbmrl.plants.topics.outputs import Writer
from ros_mbmrl.robots.described.description import Description
from ros_mbmrl.robots.described.sources import TWISTS, Sink, Source, readers

TICK = 0.02  # [s] between two messages of a sensor
BACK = 0.5  # [s] after which what takes commands comes back with another type
DONE = 5.0  # [s] for a change to be made


class Participant:
    """A participant of the middleware with one node, which a thread of its own spins."""

    def __init__(self, name: str) -> None:
        self._context = rclpy.Context()
        self._context.init(args=[], domain_id=int(os.environ["ROS_DOMAIN_ID"]))
        self.node = rclpy.create_node(name, context=self._context)
        self.bus = RobotTopics(self.node)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def do(self, change: Callable[[], Any]) -> None:
        """Make a change in the thread that spins, and wait for it."""
        done = threading.Event()

        def make() -> None:
            change()
            done.set()

        self._executor.create_task(make)
        done.wait(DONE)

    def close(self) -> None:
        """End it."""
        self._context.try_shutdown()
        self._thread.join(DONE)

    def _spin(self) -> None:
        with suppress(ExternalShutdownException):
            self._executor.spin()


class Sensor:
    """A topic of measured numbers."""

    def __init__(self, description: Description, alias: str) -> None:
        self.topic, self._alias = description.topics[alias], alias
        self.names = readers(description.sources, alias)
        places = [description.sources[name] for name in self.names]
        sinks = [Sink(place.field, place.scale) for place in places]
        self._joints = [s.field.joint for s in sinks if s.field.joint in description.joints]
        self._writer = Writer(self.topic.types[0], sinks, description.period)
        self._last: dict[str, float] = {}

    def message(self, measured: dict[str, float], kind: str) -> Any:
        """Return the message of what is measured, broken in that way; None: it is silent."""
        values = {name: measured[name] for name in self.names}
        if kind == faults.FROZEN:
            values = self._last or values
        self._last = dict(values)
        if kind == faults.NAN:
            values[self.names[0]] = float("nan")
        if kind == faults.JUMP:
            values["x"] += faults.LEAP
        late = {faults.IN_THE_PAST: -faults.PAST, faults.IN_THE_FUTURE: faults.FUTURE}
        stamp = header(nanoseconds(time.time() + late.get(kind, 0.0))).stamp
        message = self._writer.write([values[name] for name in self.names], stamp)
        if kind == faults.LACKS:
            _take_away(message, self._joints[0])
        return message


def _take_away(message: Any, joint: str) -> None:
    """Take a joint out of a message."""
    place = list(message.name).index(joint)
    for field in ("name", "position", "velocity", "effort"):
        values = list(getattr(message, field))
        if place < len(values):
            del values[place]
        setattr(message, field, values)


class FarSide:
    """A context: the robot is on its topics inside of it.

    Its sensors, what takes its commands, and a stranger on its topics are participants of their
    own, as one participant cannot hold two types of a topic.

    Attributes:
        driven: (steady time, whether it moves), each tick.
        arrived: (steady time, whether the command is safe), of each command that came.
        poses: (steady time, x, y, yaw), each tick; empty, if it is no base.

    Args:
        description: of the robot.
        timeout: without a command after which a base stops by itself [s].
        seed: of the noise.
    """

    def __init__(self, description: Description, timeout: float, seed: int) -> None:
        self._description = description
        self._robot = Kinematics(description, timeout, np.random.default_rng(seed))
        self._command = description.topics[description.command_topic]
        self._type = self._command.types[0]
        self._sensors = {
            alias: Sensor(description, alias)
            for alias in description.topics
            if readers(description.sources, alias)
        }
        self.driven: list[tuple[float, bool]] = []
        self.arrived: list[tuple[float, bool]] = []
        self.poses: list[tuple[float, float, float, float]] = []
        self._trouble = ("", "")  # topic and kind
        self._lock = threading.Lock()

    @property
    def placed(self) -> bool:
        """Return whether it is a base."""
        return self._robot.placed

    def __enter__(self) -> FarSide:
        self._body, self._stranger = Participant("far_side"), Participant("stranger")
        self._outlets: dict[str, Outlet] = {}
        self._body.do(self._advertise)
        self._taker, self._spare = Participant("base"), Participant("other_base")
        self._take(self._type)
        self._clock = time.monotonic()
        every(self._body.node, TICK, self._tick)
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._body, self._stranger, self._taker, self._spare):
            each.close()

    def seen(
        self, since: float, until: float
    ) -> tuple[list[tuple[float, bool]], list[tuple[float, bool]]]:
        """Return `driven` since a time, without short rests, and `arrived` until another one."""
        driven = [each for each in list(self.driven) if each[0] >= since]
        arrived = [each for each in list(self.arrived) if each[0] <= until]
        return settled(driven, self._description.period), arrived

    def break_down(self, name: str, kind: str) -> None:
        """Break a topic of this name in that way from now on, see `robot_faults`."""
        self._trouble = (name, kind)
        if kind == faults.SECOND:
            types = {each.name: each.types[0] for each in self._description.topics.values()}
            types[self._command.name] = self._type
            self._stranger.do(partial(self._intrude, name, types[name]))
        elif kind == faults.NOBODY:
            self._taker.do(self._leave)
        elif kind == faults.RETYPED:
            self._taker.do(self._leave)
            self._back = threading.Timer(BACK, self._come_back)
            self._back.start()
        elif kind == faults.GONE:
            self._taker.do(self._leave)
            self._body.do(self._withdraw)

    def mend(self) -> None:
        """Be whole again; what takes another type now goes on with it, if the file allows it."""
        _, kind = self._trouble
        self._trouble = ("", "")
        if kind == faults.SECOND:
            self._stranger.do(lambda: self._intruder.close())
        elif kind == faults.NOBODY:
            self._take(self._type)
        elif kind == faults.RETYPED:
            self._back.join()
            if self._taking in self._command.types:
                self._type = self._taking
            else:
                self._taker.do(self._leave)
                self._taker, self._spare = self._spare, self._taker
                self._take(self._type)
        elif kind == faults.GONE:
            self._take(self._type)
            self._body.do(self._advertise)

    def _intrude(self, name: str, kind: str) -> None:
        """Publish on a topic where others do; nothing, as its being there is enough."""
        self._intruder = self._stranger.bus.advertise(name, kind)

    def _advertise(self) -> None:
        for alias, sensor in self._sensors.items():
            topic = sensor.topic
            self._outlets[alias] = self._body.bus.advertise(topic.name, topic.types[0])

    def _withdraw(self) -> None:
        for outlet in self._outlets.values():
            outlet.close()
        self._outlets = {}

    def _come_back(self) -> None:
        """Take another type than before, as another participant."""
        self._taker, self._spare = self._spare, self._taker
        self._take(next(each for each in TWISTS if each != self._type))

    def _take(self, kind: str) -> None:
        """Take commands of a type."""
        self._taking = kind
        command, sinks = self._command, self._description.sinks
        sources = {
            name: Source("", inside(sink.field, kind, command), sink.scale)
            for name, sink in sinks.items()
        }
        if kind not in command.types:  # ours are not heard then
            sources = {}

        def hear(message: Any) -> None:
            values = {name: source.read(message) for name, source in sources.items()}
            now = time.monotonic()
            with self._lock:
                if values:
                    self.arrived.append((now, self._robot.tell(values, now)))

        taker = self._taker

        def listen() -> None:
            self._leave = taker.bus.listen(command.name, kind, hear)

        taker.do(listen)

    def _tick(self) -> None:
        now = time.monotonic()
        with self._lock:
            self._robot.step(now - self._clock, now)
            moving, pose = self._robot.moving, self._robot.pose.tolist()
            measured = self._robot.measured()
        self._clock = now
        self.driven.append((now, moving))
        if self.placed:
            self.poses.append((now, *pose))
        broken, kind = self._trouble
        for alias, outlet in list(self._outlets.items()):
            sensor = self._sensors[alias]
            own = kind if sensor.topic.name == broken else ""
            message = sensor.message(measured, own)
            if own != faults.SILENT:
                outlet.publish(message)
