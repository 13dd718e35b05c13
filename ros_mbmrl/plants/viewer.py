"""A window that shows the twin while the driver moves it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol

from ros_mbmrl.errors import RunError
from ros_mbmrl.plants.base import Plant, Scheduled
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array


class World(Protocol):
    """Physics to be shown: MuJoCo's model and data, which stay the same objects."""

    @property
    def model(self) -> Any:
        """Return the model."""

    @property
    def data(self) -> Any:
        """Return the data."""


class Viewable(Scheduled, Plant, Protocol):
    """A twin whose physics can be shown."""

    @property
    def world(self) -> World:
        """Return what is shown."""


class ViewedTwin:
    """A twin with MuJoCo's passive viewer. Raises RunError on a machine without a display."""

    simulated = True

    def __init__(self, plant: Viewable) -> None:
        if sys.platform == "linux" and not (
            os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        ):
            raise RunError("viewer:=true needs a display: DISPLAY is not set")
        self._plant = plant
        self._window: Any = None
        self._threads: set[threading.Thread] = set()

    def __enter__(self) -> ViewedTwin:
        import mujoco.viewer

        world = self._plant.world
        before = set(threading.enumerate())
        self._window = mujoco.viewer.launch_passive(world.model, world.data)
        self._threads = set(threading.enumerate()) - before
        self._plant.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._plant.__exit__(kind, error, trace)
        self._window.close()
        for thread in self._threads:  # it still draws the model until the process ends
            thread.join(timeout=2.0)

    def observe(self) -> Measurement:
        """See `Plant.observe`."""
        return self._plant.observe()

    def command(self, action: Array) -> None:
        """See `Plant.command`."""
        self._plant.command(action)

    def advance(self, duration: float) -> None:
        """Let time pass; a closed window does not stop the twin. See `Plant.advance`."""
        if not self._window.is_running():
            self._plant.advance(duration)
            return
        with self._window.lock():
            self._plant.advance(duration)
        self._window.sync()

    def faults_from(self, second: float) -> None:
        """See `Scheduled.faults_from`."""
        self._plant.faults_from(second)

    def stop(self) -> None:
        """See `Plant.stop`."""
        self._plant.stop()

    def counters(self) -> Mapping[str, int | float]:
        """See `Plant.counters`."""
        return self._plant.counters()
