"""The devices of an operator, opened and read together."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from ros_mbmrl.collection.hands import Hands
from ros_mbmrl.collection.mapping import steering
from ros_mbmrl.robots import make_robot


def test_a_lone_joysticks_dead_man_button_gives_leave(clock: Any, device: tuple[Path, Any]) -> None:
    path, say = device
    with Hands(None, path, threading.Event(), clock) as hands:
        source = hands.sources(steering(make_robot("hexapod"), 1.0))["joystick"]
        assert not hands.unattended and not hands.permit() and source() is None
        say((1, 1, 4), (-32767, 2, 1), (0, 2, 0))
        assert hands.wait(1.0)
        assert hands.requests() == []
        assert hands.permit()
        assert source() is not None
        assert not hands.gone
