"""Parameters that may be set in mid-run: as tools see them, and in a graph of real processes."""

from __future__ import annotations

import json
import math
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

pytest.importorskip("rclpy")
from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from ros_mbmrl import bringup, cli
from ros_mbmrl.data.recording import read_messages
from ros_mbmrl.data.steps import task_of
from ros_mbmrl.errors import UserError
from ros_mbmrl.nodes.live_parameters import LOCKED, LiveParameters
from ros_mbmrl.nodes.parameter_client import ParameterClient
from ros_mbmrl.robots.live import Live
from ros_mbmrl.ros_environment import environment
from ros_mbmrl.supervisor import Summary, supervise

GIVEN = {"speed": 1, "plan.count": 5, "plan.other": "fixed", "colour": "red"}
VALUES = {"speed": 1.0, "plan.count": 5, "box": (0.0, 2.0)}
RANGES = {
    "speed": Live(0.0, 2.0, "how fast [m/s]"),
    "plan.count": Live(1, 9, "how many", whole=True),
    "box": Live(-1.0, 3.0, "where to"),
}


class Holder:
    """A node with three live parameters, which knows what it was asked and told."""

    def __init__(self, context: Any, locked: bool = False) -> None:
        self.node = Node(
            "holder",
            context=context,
            automatically_declare_parameters_from_overrides=True,
            parameter_overrides=[Parameter(name, value=value) for name, value in GIVEN.items()],
        )
        self.asked: list[dict[str, Any]] = []
        self.taken: list[dict[str, Any]] = []
        groups = ("speed", "plan", "box")
        self.live = LiveParameters(
            self.node, groups, VALUES, RANGES, self._check, self._take, locked=locked
        )

    def _check(self, changes: Any) -> None:
        self.asked.append(dict(changes))
        if changes.get("box") == [0.0, 0.0]:
            raise ValueError("box: expected room")

    def _take(self, changes: Any) -> None:
        self.taken.append(dict(changes))

    def set(self, name: str, value: Any) -> SetParametersResult:
        return self.node.set_parameters([Parameter(name, value=value)])[0]


@pytest.fixture
def holder(context: Any) -> Iterator[Holder]:
    made = Holder(context)
    yield made
    made.node.destroy_node()


def test_tools_see_values_ranges_and_what_is_fixed(holder: Holder) -> None:
    node = holder.node
    assert {name: node.get_parameter(name).value for name in ("speed", "plan.count")} == {
        "speed": 1.0,
        "plan.count": 5,
    }
    speed, count, box = (node.describe_parameter(name) for name in VALUES)
    (real,), (whole,) = speed.floating_point_range, count.integer_range
    assert (real.from_value, real.to_value) == (0.0, 2.0)
    assert (whole.from_value, whole.to_value) == (1, 9)
    assert (speed.description, box.description) == ("how fast [m/s]", "where to")
    assert box.additional_constraints == "[low, high] within -1 to 3"
    assert not (speed.read_only or count.read_only or box.read_only)
    assert node.describe_parameter("plan.other").read_only
    assert not node.describe_parameter("colour").read_only  # of no group that is ours


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        ("speed", 1.5, 1.5),
        ("speed", 2, 2.0),  # whoever types 2 means a number
        ("plan.count", 9, 9),
        ("box", [0.5, 1.5], [0.5, 1.5]),
        ("box", [0, 1], [0.0, 1.0]),
    ],
)
def test_what_is_set_can_be_read_back(holder: Holder, name: str, value: Any, taken: Any) -> None:
    assert holder.set(name, value).successful
    assert holder.taken == [{name: taken}]
    found = holder.node.get_parameter(name).value
    assert (found if name != "box" else list(found)) == taken


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("speed", 2.1, "out of range Min: 0.0, Max: 2.0, value: 2.1"),
        ("speed", math.nan, "out of range Min: 0.0, Max: 2.0, value: nan"),
        ("speed", math.inf, "out of range"),
        ("speed", "fast", "Wrong parameter type"),
        ("plan.count", 10, "out of range. Min: 1, Max: 9, value: 10"),
        ("plan.count", 2.0, "Wrong parameter type"),
        ("plan.other", "x", "read-only parameter: plan.other"),
        ("box", 1.0, "Wrong parameter type"),
        ("box", [0.0, 0.0], "box: expected room"),
    ],
)
def test_what_is_refused_has_a_reason_and_changes_nothing(
    holder: Holder, name: str, value: Any, reason: str
) -> None:
    before = holder.node.get_parameter(name).value
    result = holder.set(name, value)
    assert not result.successful and reason in result.reason
    assert holder.node.get_parameter(name).value == before and holder.taken == []


def test_several_are_taken_together_or_not_at_all(holder: Holder) -> None:
    def both(speed: float, box: list[float]) -> SetParametersResult:
        pairs = (("speed", speed), ("box", box))
        wanted = [Parameter(name, value=value) for name, value in pairs]
        return holder.node.set_parameters_atomically(wanted)

    assert not both(0.5, [0.0, 0.0]).successful
    assert holder.node.get_parameter("speed").value == 1.0 and holder.taken == []
    assert both(0.5, [0.0, 1.0]).successful
    assert holder.taken == [{"speed": 0.5, "box": [0.0, 1.0]}]


def test_in_lockstep_every_set_is_refused(context: Any) -> None:
    holder = Holder(context, locked=True)
    for name, value in (("speed", 1.5), ("plan.count", 6), ("box", [0.0, 1.0])):
        result = holder.set(name, value)
        assert not result.successful and result.reason == LOCKED
    assert holder.taken == holder.asked == []
    assert holder.set("use_sim_time", True).successful  # ROS's own
    holder.node.destroy_node()


def test_a_range_may_shrink_and_takes_the_value_with_it(holder: Holder) -> None:
    holder.live.limit("plan.count", 3, Live(1, 3, "three took 9 ms", whole=True))
    assert holder.node.get_parameter("plan.count").value == 3
    assert holder.node.describe_parameter("plan.count").description == "three took 9 ms"
    assert "Max: 3" in holder.set("plan.count", 4).reason
    holder.live.limit("plan.count", 3, Live(3, 3, "no room", whole=True))
    assert holder.set("plan.count", 3).successful and not holder.set("plan.count", 2).successful
    holder.live.limit("nothing", 3, RANGES["plan.count"])
    assert not holder.node.has_parameter("nothing")


class Graph:
    """The hexapod's graph as processes, recorded; ended by its driver when told to."""

    def __init__(self, recording: Path, *words: str) -> None:
        specs = bringup.graph("adapt", ["method:=mb", f"recording:={recording}", *words])
        self.said: list[str] = []
        self.ended: list[Summary] = []
        self._runner = threading.Thread(
            target=lambda: self.ended.append(supervise(specs, echo=self.said.append))
        )

    def __enter__(self) -> Graph:
        self._runner.start()
        return self

    def __exit__(self, *_: object) -> None:
        for child in psutil.Process().children():
            if "ros_mbmrl.nodes.driver" in child.cmdline():
                child.send_signal(signal.SIGINT)
        self._runner.join(60)


def diagnostics(recording: Path, name: str) -> list[tuple[int, dict[str, str]]]:
    """(stamp [ns], values) of the lines called `name`."""
    found = []
    for recorded in read_messages(recording, ["/diagnostics"]):
        stamp = recorded.message.header.stamp
        for line in recorded.message.status:
            if task_of(line) == name:
                values = {pair.key: pair.value for pair in line.values}
                found.append((stamp.sec * 10**9 + stamp.nanosec, values))
    return found


def test_a_running_graph_is_tuned_recorded_and_replayed(
    tmp_path: Path, domain: int, monkeypatch: pytest.MonkeyPatch, until: Any
) -> None:
    for key, value in environment({"ROS_DOMAIN_ID": str(domain)}).items():
        monkeypatch.setenv(key, value)
    recording, answered = tmp_path / "run.mcap", []
    with Graph(recording, "path:=figure8") as graph:
        until(lambda: any("first command" in line for line in graph.said))
        with ParameterClient("/hexapod/controller") as client:
            for name, value in (("speed", 0.1), ("planner.icem.num_samples", 32)):
                client.set(name, value)
                until(lambda name=name: any(f"set: {name}" in line for line in graph.said))
                answered.append(client.rows([name])[0]["value"])
            with pytest.raises(UserError, match="refuses: .*out of range. Min: 16, Max: "):
                client.set("planner.icem.num_samples", 90_000)
            with pytest.raises(UserError, match="refuses: .*read-only parameter: seed"):
                client.set("seed", 3)
        with ParameterClient("/hexapod/safety") as client:
            client.set("limits.left_legs", [0, 10])
            with pytest.raises(UserError, match="expected a range within 0 to 56.5487, got 0 to 9"):
                client.set("limits.left_legs", [0, 99])
    assert graph.ended and graph.ended[0].status == 0, graph.said
    assert answered == [0.1, 32]

    tuned = diagnostics(recording, "controller: tuning")
    assert [values for _, values in tuned] == [
        {"speed": "0.1"},
        {"planner.icem.num_samples": "32"},
    ]
    timing = dict(diagnostics(recording, "controller: timing"))
    least = {stamp: float(values["samples"]) for stamp, values in timing.items()}
    assert all(count <= 32 for stamp, count in least.items() if stamp >= tuned[1][0])
    assert max(least.values()) == 64
    ((limited, values),) = diagnostics(recording, "safety: limits")
    assert values == {"limits.left_legs": "[0.0, 10.0]"}
    for recorded in read_messages(recording, ["/hexapod/command/safe"]):
        stamp = recorded.message.header.stamp
        if stamp.sec * 10**9 + stamp.nanosec > limited:
            assert recorded.message.velocity[0] <= 10.0

    report = tmp_path / "replay.json"
    model = str(bringup.find("models/hexapod/mb"))
    cli.main(["replay", str(recording), "--model", model, "--json", str(report)])
    changes = json.loads(report.read_text())["results"]["changes"]
    assert [(change["values"], change["why_not"]) for change in changes] == [
        ({"speed": 0.1}, ""),
        ({"planner.icem.num_samples": 32}, ""),
    ]
