"""A joystick's messages: what they ask for, and why they do not drive; without a middleware."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy")
from sensor_msgs.msg import Joy

from ros_mbmrl.collection.joystick import Joystick, JoystickConfig
from ros_mbmrl.collection.requests import Kind, Request
from ros_mbmrl.nodes.joy import JOY, PATIENCE, JoyListener
from ros_mbmrl.nodes.messages import header

CONFIG = JoystickConfig()


class Bench:
    """A listener whose topics, timer and clock are the test's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.awaited = 100.0, True
        self.publishers: dict[str, int] = {}
        self.asked: list[Request] = []
        self.warnings: list[str] = []
        monkeypatch.setattr("ros_mbmrl.nodes.joy.listen", lambda *_: None)
        monkeypatch.setattr("ros_mbmrl.nodes.joy.every", lambda *_: None)
        node: Any = SimpleNamespace(
            resolve_topic_name=lambda name: f"/hexapod/{name}",
            count_publishers=lambda name: self.publishers.get(name, 0),
            get_topic_names_and_types=lambda: [(name, [JOY]) for name in self.publishers],
            get_logger=lambda: SimpleNamespace(warning=self.warnings.append),
        )
        self.joystick = Joystick(lambda: self.now)
        self.listener = JoyListener(
            node, self.joystick, self.asked.append, lambda: self.awaited, lambda: self.now
        )

    def say(self, *pressed: int, stamp: int = 0) -> None:
        buttons = [int(k in pressed) for k in range(8)]
        message = Joy(header=header(stamp), axes=[0.25, 0.5], buttons=buttons)
        self.listener._on_joy(message)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def test_sticks_drive_and_each_press_asks_once(bench: Bench) -> None:
    bench.say(CONFIG.deadman_button)
    bench.say(CONFIG.deadman_button, CONFIG.stop_button)
    bench.say(CONFIG.deadman_button, CONFIG.stop_button)
    assert bench.asked == [Request(Kind.HALT)]
    assert bench.joystick.sticks() == (0.5, 0.25)


def test_why_it_does_not_drive_is_told_once(bench: Bench) -> None:
    bench.say(CONFIG.deadman_button)
    bench.now += CONFIG.timeout + 0.1
    for _ in range(3):
        bench.listener._check()
    assert bench.warnings == ["joystick: silent for more than 0.5 s"]
    bench.say(CONFIG.deadman_button)
    bench.listener._check()
    bench.now += CONFIG.timeout + 0.1
    bench.listener._check()
    assert len(bench.warnings) == 2


def test_a_stamp_of_zero_is_none_and_a_late_one_does_not_drive(bench: Bench) -> None:
    bench.say(CONFIG.deadman_button)
    assert bench.joystick.sticks() is not None
    bench.say(stamp=10**9)
    bench.say(CONFIG.deadman_button, stamp=10**9)
    bench.now += 1.0
    bench.say(CONFIG.deadman_button, stamp=10**9 + 1)
    assert bench.joystick.sticks() is None


def test_a_joystick_elsewhere_is_named_once_when_it_is_waited_for(bench: Bench) -> None:
    bench.publishers["/joy"] = 1
    bench.now += PATIENCE - 0.1
    bench.listener._check()
    bench.awaited = False
    bench.now += 0.2
    bench.listener._check()
    assert bench.warnings == []
    bench.awaited = True
    bench.listener._check()
    bench.listener._check()
    (told,) = bench.warnings
    assert "nobody publishes /hexapod/joy; /joy has a publisher" in told
    assert told.endswith("-r joy:=/hexapod/joy")


@pytest.mark.parametrize("there", ["publisher", "message"])
def test_a_joystick_that_is_there_is_not_hinted_at(bench: Bench, there: str) -> None:
    if there == "publisher":
        bench.publishers["/hexapod/joy"] = 1
    else:
        bench.say()
    bench.now += PATIENCE + 0.1
    bench.listener._check()
    assert bench.warnings == []
