"""The safety node among others: whose word counts, and what it tells people."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("rclpy")
from ros_mbmrl.nodes.messages import ERROR, diagnostics, status
from ros_mbmrl.nodes.safety import SafetyNode

# Each of these latches a stop or is reckoned with, if it is believed.
LINES: dict[str, dict[str, object]] = {
    "driver: plant": {"fault": "the battery is on fire"},
    "controller: echo": {"foreign": 3},
    "dynamics: adaptation": {"error_after": 1e9},
}


class Rules:
    """Keeps what the safety node's monitor is told."""

    def __init__(self, node: SafetyNode) -> None:
        self.seen: list[Any] = []
        update = node._monitor.update

        def spy(now: float, proposed: Any, state: Any, health: Any) -> Any:
            self.seen.append(health)
            return update(now, proposed, state, health)

        node._monitor.update = spy  # type: ignore[method-assign]


def line(owner: str, name: str, values: dict[str, object], stamp: int = 0) -> Any:
    node, _, task = name.partition(": ")
    return diagnostics(stamp, status(node, task, owner, values, ERROR))


def test_a_neighbours_word_counts_for_nothing(context: Any) -> None:
    safety = SafetyNode(context=context, namespace="/hexapod")
    rules = Rules(safety)
    for owner in ("half_cheetah", "", "lab/hexapod"):
        for name, values in LINES.items():
            safety._on_diagnostics(line(owner, name, values, stamp=3))
            safety._on_adaptation(line(owner, name, values, stamp=3))
    assert rules.seen == [] and safety._fault == ""
    assert safety._error == (-1, 0.0)

    safety._on_diagnostics(line("hexapod", "driver: plant", {"fault": "ours"}))
    safety._on_diagnostics(line("half_cheetah", "driver: plant", {"fault": ""}))  # it is well
    safety._speak_up()
    assert {health.plant_fault for health in rules.seen} == {"ours"}
    safety._on_diagnostics(line("hexapod", "controller: echo", {"foreign": 3}))
    assert "not the controller's" in rules.seen[-1].peers
    safety.destroy_node()


class Log:
    """A logger that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def error(self, text: str, **_: Any) -> None:
        self.lines.append(("error", text))

    def warning(self, text: str, **_: Any) -> None:
        self.lines.append(("warning", text))

    def info(self, text: str, **_: Any) -> None:
        self.lines.append(("info", text))


def test_a_latched_stop_and_its_reset_are_told(context: Any, monkeypatch: Any) -> None:
    safety, log, now = SafetyNode(context=context), Log(), [0.0]
    monkeypatch.setattr(safety, "get_logger", lambda: log)
    safety._steady = lambda: now[0]
    request: Any = type("Response", (), {})
    safety._on_stop(None, request())
    for _ in range(5):  # told once, not in every period
        safety._speak_up()
    assert log.lines == [
        ("error", "LATCHED until safety/reset: stop_requested: service safety/stop")
    ]
    answer = request()
    safety._on_reset(None, answer)
    kind, text = log.lines[1]
    assert not answer.success and kind == "warning" and "refused" in text
    safety._monitor._latched.clear()
    safety._publish_stop()
    assert log.lines[2:] == [("info", "the latched stop has been reset")]
    safety.destroy_node()
