"""A middleware domain of its own for every test, a plant without physics, and bounded waiting."""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.plants.base import PlantFault
from ros_mbmrl.robots.measurement import Measurement

rclpy = pytest.importorskip("rclpy")

PATIENCE = 60.0  # [s] for what should take milliseconds: other processes may keep all cores busy


class FakePlant:
    """A unicycle: the legs' mean drives it, their difference turns it. Exact stamps.

    fault: raised by `observe` while it is not empty.
    """

    simulated = True
    fault = ""

    def __init__(self) -> None:
        self.action = np.zeros(2)
        self.pose = np.zeros(3)
        self.legs = np.zeros(2)
        self.now = 0.0
        self.log: list[Any] = []

    def __enter__(self) -> FakePlant:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.log.append("closed")

    def observe(self) -> Measurement:
        if self.fault:
            raise PlantFault(self.fault)
        if not self.simulated:
            self.now += 0.1
        x, y, yaw = self.pose
        quaternion = (math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2))
        battery = float(np.float32(3.9))
        hum = 1e-3 * math.sin(7 * self.now)  # a sensor never says the same twice
        gyro, force, back_emf = (hum, 0, 0.1), (0, 0, 9.81), (0.5 + hum, 0.6)
        values = [x, y, 0.02, *quaternion, *gyro, *force, *self.legs, *back_emf, battery]
        return Measurement(round(self.now * 1e9) / 1e9, np.array(values, dtype=float))

    def command(self, action: np.ndarray) -> None:
        self.action = np.array(action)
        self.log.append(tuple(action))

    def advance(self, duration: float) -> None:
        left, right = self.action
        self.pose[2] += (right - left) * 0.02 * duration
        heading = np.array([math.cos(self.pose[2]), math.sin(self.pose[2])])
        self.pose[:2] += 0.005 * (left + right) * heading * duration
        self.legs += self.action * duration
        self.now += duration

    def rearm(self) -> None:
        if self.fault:
            raise PlantFault(self.fault)
        self.log.append("armed")

    def counters(self) -> dict[str, float]:
        return {"frames": 7}

    def stop(self) -> None:
        self.action = np.zeros(2)
        self.log.append("stop")


class Outbox:
    """Publishers that keep what is published, by topic, instead of sending it.

    hooks: called with each message of a topic, after it was kept.
    """

    def __init__(self) -> None:
        self.sent: dict[str, list[Any]] = defaultdict(list)
        self.hooks: dict[str, Callable[[Any], None]] = {}

    def advertise(self, node: Any, name: str, links: Any = None) -> Any:
        """Stand in for `qos.advertise`."""

        def publish(message: Any) -> None:
            self.sent[name].append(message)
            self.hooks.get(name, lambda _: None)(message)

        return SimpleNamespace(
            publish=publish,
            topic_name=node.resolve_topic_name(name),
            get_subscription_count=lambda: 99,  # everybody that is known of is connected
        )


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def plant() -> FakePlant:
    return FakePlant()


@pytest.fixture
def context(domain: int) -> Iterator[Any]:
    """An initialised rclpy context that hears nobody else."""
    made = rclpy.Context()
    made.init(args=[], domain_id=domain)
    yield made
    made.try_shutdown()


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Waits for a condition, and fails if it does not come."""

    def wait(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        pause = threading.Event()
        while not condition():
            assert time.monotonic() < end, "the condition did not come"
            pause.wait(0.005)

    return wait


@pytest.fixture
def spin(context: Any) -> Iterator[Callable[..., None]]:
    """Spins nodes in a thread until the test ends; then closes them."""
    from rclpy.executors import SingleThreadedExecutor

    executor = SingleThreadedExecutor(context=context)
    nodes: list[Any] = []
    stop = threading.Event()

    def loop() -> None:
        while not stop.is_set():
            executor.spin_once(timeout_sec=0.1)

    thread = threading.Thread(target=loop)

    def start(*added: Any) -> None:
        for node in added:
            executor.add_node(node)
            nodes.append(node)
        thread.start()

    yield start
    stop.set()
    executor.wake()
    if thread.ident is not None:
        thread.join()
    for node in nodes:
        if hasattr(node, "close"):
            node.close()
        node.destroy_node()
    executor.shutdown()


class Participant:
    """A participant of the middleware, whose nodes are spun in a thread."""

    def __init__(self, domain: int) -> None:
        from rclpy.executors import SingleThreadedExecutor

        self.context = rclpy.Context()
        self.context.init(args=[], domain_id=domain)
        self._nodes: list[Any] = []
        self._executor = SingleThreadedExecutor(context=self.context)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop)
        self._thread.start()

    def make(self, name: str, space: str = "/robot") -> Any:
        """Return a node of this participant."""
        return self.add(rclpy.create_node(name, context=self.context, namespace=space))

    def add(self, node: Any) -> Any:
        """Spin a node."""
        self._nodes.append(node)
        self._executor.add_node(node)
        self._executor.wake()
        return node

    def close(self) -> None:
        """End its nodes; may be called again."""
        if not self._stop.is_set():
            for node in self._nodes:
                if hasattr(node, "close"):
                    node.close()
            self._stop.set()
            self._thread.join()
            for node in self._nodes:
                node.destroy_node()
            self._executor.shutdown()
            self.context.try_shutdown()

    def _loop(self) -> None:
        while not self._stop.is_set():
            self._executor.spin_once(timeout_sec=0.05)


@pytest.fixture
def apart(domain: int) -> Iterator[Callable[[], Participant]]:
    """Makes participants of one domain: one cannot hold two types of a topic, as two robots do."""
    made: list[Participant] = []

    def make() -> Participant:
        made.append(Participant(domain))
        return made[-1]

    yield make
    for each in made:
        each.close()
