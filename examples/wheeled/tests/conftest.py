"""Nodes to test with, and bounded waiting."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

PATIENCE = 20.0  # [s] for what should take milliseconds


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Waits for a condition, and fails if it does not come."""

    def wait(condition: Callable[[], bool]) -> None:
        end, pause = time.monotonic() + PATIENCE, threading.Event()
        while not condition():
            assert time.monotonic() < end, "the condition did not come"
            pause.wait(0.005)

    return wait


@pytest.fixture
def spun() -> Iterator[Callable[[str], Any]]:
    """Makes nodes that are spun in a thread until the test ends, in a domain of their own."""
    rclpy = pytest.importorskip("rclpy")
    from rclpy.executors import SingleThreadedExecutor

    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    context = rclpy.Context()
    context.init(args=[], domain_id=random.randrange(1, 100))
    executor, stop = SingleThreadedExecutor(context=context), threading.Event()
    nodes = []

    def make(name: str) -> Any:
        node = rclpy.create_node(name, context=context, namespace="/wheeled")
        nodes.append(node)
        executor.add_node(node)
        return node

    def loop() -> None:
        while not stop.is_set():
            executor.spin_once(timeout_sec=0.05)

    thread = threading.Thread(target=loop)
    thread.start()
    yield make
    stop.set()
    thread.join()
    for node in nodes:
        node.destroy_node()
    executor.shutdown()
    context.try_shutdown()
