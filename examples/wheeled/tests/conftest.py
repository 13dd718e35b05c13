"""Nodes to test with, and bounded waiting."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ros_mbmrl.ros_environment import environment

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


class Spinner:
    """A participant of the middleware, whose nodes are spun in a thread."""

    def __init__(self, domain: int) -> None:
        rclpy = pytest.importorskip("rclpy")
        from rclpy.executors import SingleThreadedExecutor

        self.context = rclpy.Context()
        self.context.init(args=[], domain_id=domain)
        self._create, self._nodes = rclpy.create_node, []
        self._executor = SingleThreadedExecutor(context=self.context)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop)
        self._thread.start()

    def make(self, name: str) -> Any:
        node = self._create(name, context=self.context, namespace="/wheeled")
        self._nodes.append(node)
        self._executor.add_node(node)
        return node

    def close(self) -> None:
        if not self._stop.is_set():
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
def apart() -> Iterator[Callable[[], Spinner]]:
    """Makes participants of one domain: one cannot hold two types of a topic, as two robots do."""
    os.environ.update(environment(os.environ))
    domain, made = random.randrange(1, 100), []

    def make() -> Spinner:
        made.append(Spinner(domain))
        return made[-1]

    yield make
    for spinner in made:
        spinner.close()


@pytest.fixture
def spun(apart: Callable[[], Spinner]) -> Callable[[str], Any]:
    """Makes nodes that are spun in a thread until the test ends, in a domain of their own."""
    return apart().make
