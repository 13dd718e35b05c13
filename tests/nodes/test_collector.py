"""The collector node: episodes on `episode`, trajectories in the run, a stop that pauses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
from rclpy.parameter import Parameter
from std_msgs.msg import Bool

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.asynchronous.pause import Pause
from ros_mbmrl.learning.asynchronous.servers import DataServer
from ros_mbmrl.nodes import collector as module
from ros_mbmrl.nodes.collector import CollectorNode
from ros_mbmrl.nodes.messages import (
    OK,
    command_message,
    diagnostics,
    path_message,
    read_status,
    status,
)
from ros_mbmrl.nodes.process import Ending
from ros_mbmrl.nodes.sensors import SensorCodec
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.measurement import Measurement

SPEC = make_robot("hexapod").spec
ONE = 22  # states of an episode of ten steps, and of what is around it


class Driven:
    """A collector node, and the messages of a graph that are handed to it."""

    def __init__(self, node: CollectorNode, ending: Ending, outbox: Any) -> None:
        self.node, self.ending, self.outbox = node, ending, outbox
        self._codec, self._k = SensorCodec(SPEC), 0

    def drive(self, steps: int, model: int = -1) -> None:
        for _ in range(steps):
            self._k += 1
            stamp = self._k * 100_000_000
            values = np.array([1e-3 * self._k, 0, 0.02, 1, *[0] * 14], dtype=float)
            for name, message in self._codec.encode(Measurement(stamp / 1e9, values), None).items():
                self.node._on_sensor(name, message)
            command = command_message(SPEC, np.ones(2), stamp)
            self.node._on_answer("command/safe", command)
            told = {"model_version": model, "policy_version": -1}
            line = status("controller", "timing", "hexapod", told, OK)
            self.node._on_answer("/diagnostics", diagnostics(stamp, line))

    def events(self) -> list[tuple[str, str]]:
        lines = [m.status[0].values for m in self.outbox.sent["episode"]]
        named = [{pair.key: pair.value for pair in values} for values in lines]
        return [(each["event"], each["index"]) for each in named]


@pytest.fixture
def make(
    context: Any, outbox: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., Driven]]:
    nodes: list[CollectorNode] = []

    monkeypatch.setattr(module, "advertise", outbox.advertise)

    def driven(**parameters: Any) -> Driven:
        values = {"learning": str(tmp_path), "episode_seconds": 1.0, **parameters}
        given = [Parameter(name, value=value) for name, value in values.items()]
        ending = Ending()
        nodes.append(CollectorNode(ending, context=context, parameter_overrides=given))
        return Driven(nodes[-1], ending, outbox)

    yield driven
    for node in nodes:
        node.close()
        node.destroy_node()


def test_episodes_are_told_and_pushed_until_there_are_enough(
    make: Callable[..., Driven], tmp_path: Path, capsys: Any
) -> None:
    driven = make(trajectories=2)
    driven.drive(ONE, model=3)
    assert driven.events() == [("start", "1"), ("stop", "1")]
    assert not driven.ending.event.is_set()
    driven.drive(ONE, model=4)
    assert driven.ending.event.is_set() and driven.ending.status == 0
    assert "2 trajectories: the run is complete" in capsys.readouterr().out
    found = DataServer(tmp_path / "trajectories").since(0)
    assert [each.model_version for each in found] == [3, 4]
    assert all(np.all(each.rollout.actions == 1) for each in found)


def test_a_stop_pauses_the_run_until_a_reset(make: Callable[..., Driven], tmp_path: Path) -> None:
    driven = make()
    driven.drive(9)
    driven.node._on_stop(Bool(data=True))
    assert "safety/reset" in Pause(tmp_path).reason
    driven.drive(3 * ONE)
    assert driven.events() == [("start", "1"), ("discard", "1")]
    driven.node._on_stop(Bool(data=False))
    assert Pause(tmp_path).reason == ""
    driven.drive(ONE)
    assert len(DataServer(tmp_path / "trajectories")) == 1


def test_figures_go_to_the_diagnostics(make: Callable[..., Driven], outbox: Any) -> None:
    driven = make()
    driven.node._tell()
    assert not outbox.sent["/diagnostics"]  # nothing was measured yet
    driven.drive(ONE, model=0)
    driven.node._tell()
    (message,) = outbox.sent["/diagnostics"]
    run = read_status(message, "learning: run", "hexapod")
    assert run is not None and run["trajectories"] == "1"
    own = read_status(message, "learning: graph-0", "hexapod")
    assert own is not None and own["phase"] == "leading"


def test_a_path_that_is_finished_is_followed_again(
    make: Callable[..., Driven], outbox: Any
) -> None:
    driven, path = make(), path_message([(0.0, 0.0, 0.0), (1.0, 0.0, 0.0)], 5)

    def say(mode: str) -> None:
        line = status("controller", "timing", "hexapod", {"mode": mode}, OK)
        driven.node._on_answer("/diagnostics", diagnostics(1, line))

    say("finished")
    assert not outbox.sent["reference/set"]  # no path was heard
    driven.node._on_reference(path)
    say("full")
    assert not outbox.sent["reference/set"]
    for _ in range(3):
        say("finished")
    assert outbox.sent["reference/set"] == [path]
    driven.node._on_reference(path)  # as the reference node says it again
    say("finished")
    assert outbox.sent["reference/set"] == [path, path]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"learning": "/nowhere"}, "no folder '/nowhere'"),
        ({"episode_seconds": 0.1}, "episode_seconds: expected"),
    ],
)
def test_bad_input_is_one_line(make: Callable[..., Driven], wrong: Any, told: str) -> None:
    with pytest.raises(UserError, match=told):
        make(**wrong)
