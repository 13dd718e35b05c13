"""A window on the twin: what it needs, and what happens to the twin behind it."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import mujoco
import numpy as np
import pytest

from ros_mbmrl.errors import RunError
from ros_mbmrl.plants.twin import TwinConfig, TwinPlant
from ros_mbmrl.plants.viewer import ViewedTwin
from ros_mbmrl.robots import make_robot


class Window:
    """MuJoCo's passive viewer, as far as it is used."""

    def __init__(self) -> None:
        self.open, self.drawn, self.closed = True, 0, False
        self.model: Any = None

    def launch_passive(self, model: Any, data: Any) -> Window:
        self.model = model
        return self

    def is_running(self) -> bool:
        return self.open

    def lock(self) -> Any:
        return nullcontext()

    def sync(self) -> None:
        self.drawn += 1

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Window:
    """A window, and a display for it."""
    made = Window()
    viewer = SimpleNamespace(launch_passive=made.launch_passive)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setitem(sys.modules, "mujoco.viewer", viewer)  # type: ignore[arg-type]
    monkeypatch.setattr(mujoco, "viewer", viewer, raising=False)
    return made


def twin() -> TwinPlant:
    return TwinPlant(make_robot("hexapod"), TwinConfig("plain", seed=4))


def test_without_a_display_there_is_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(RunError, match="viewer:=true needs a display"):
        ViewedTwin(twin())


def test_it_is_drawn_after_each_step_and_goes_on_when_the_window_is_closed(window: Window) -> None:
    plain, viewed = twin(), ViewedTwin(twin())
    with viewed:
        for step in range(4):
            window.open = step < 2
            for plant in (plain, viewed):
                plant.command(np.array([20.0, 30.0]))
                plant.advance(0.1)
            assert (viewed.observe().values == plain.observe().values).all()
    assert window.drawn == 2 and window.closed
    assert viewed.simulated and viewed.counters() == {}
    viewed.stop()
    viewed.advance(1.0)
    plain.stop()
    plain.advance(1.0)
    assert (viewed.observe().values == plain.observe().values).all()
