"""What a recording says of a run, where another robot spoke on the shared topic."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ros_mbmrl.evaluation import recorded_run


def recorded(topic: str, tenths: int, **fields: Any) -> Any:
    stamp = SimpleNamespace(sec=tenths // 10, nanosec=tenths % 10 * 10**8)
    header = SimpleNamespace(stamp=stamp)
    return SimpleNamespace(topic=topic, message=SimpleNamespace(header=header, **fields))


def command(tenths: int, speed: float = 1.0) -> Any:
    values = {"position": [], "velocity": [0.0, speed], "effort": []}
    return recorded("/hexapod/command/safe", tenths, **values)


def line(owner: str, name: str, tenths: int, **values: object) -> Any:
    pairs = [SimpleNamespace(key=k, value=str(v)) for k, v in values.items()]
    status = SimpleNamespace(name=name, hardware_id=owner, values=pairs)
    return recorded("/diagnostics", tenths, status=[status])


def test_another_robots_diagnostics_are_not_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = []
    for k in range(5):
        rows += [
            command(k),
            line("hexapod", "driver: timing", k, period_s=0.1, missed=0),
            line("half_cheetah", "driver: timing", k, period_s=0.05, missed=1),
            line("half_cheetah", "safety: state", k, level="LATCHED", reasons="tip_over: x"),
            line("hexapod", "safety: state", k, level="RUN", reasons=""),
        ]
    monkeypatch.setattr(recorded_run, "read_messages", lambda path: iter(rows))
    run = recorded_run.read_run(Path("run.mcap"))
    assert run.period.tolist() == [0.1] * 5
    assert (run.missed, run.safety_events, run.worst_level) == (0, 0, "RUN")


def test_times_count_from_the_first_command_that_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [command(k, speed=0.0 if k < 3 else 2.0) for k in range(1, 6)]
    monkeypatch.setattr(recorded_run, "read_messages", lambda path: iter(rows))
    run = recorded_run.read_run(Path("run.mcap"))
    assert run.times == pytest.approx([-0.2, -0.1, 0.0, 0.1, 0.2])


def test_a_robot_that_never_moves_has_times_from_its_first_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [command(k, speed=0.0) for k in (7, 8)]
    monkeypatch.setattr(recorded_run, "read_messages", lambda path: iter(rows))
    assert recorded_run.read_run(Path("run.mcap")).times == pytest.approx([0.0, 0.1])
