"""A task's own figures, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.data.steps import Run, Step
from ros_mbmrl.evaluation import task_figures as judged
from ros_mbmrl.evaluation.task_figures import task_figures
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Array

NOTHING = dict.fromkeys(("return", "cost_before_fault", "cost_after_fault"))


def recorded(
    monkeypatch: pytest.MonkeyPatch,
    robot: str,
    measured: Array,
    start: int = 0,
    first: int = 0,
    rests: int = 0,
) -> None:
    """A run whose commands are half of full from step `first` on, after `rests` of rest."""
    spec = make_robot(robot).spec
    period, half = round(spec.period * 1e9), np.full(len(spec.action), 0.5)
    steps = tuple(
        Step(
            clock=0,
            stamp=start + k * period,
            logged=k,
            measured=start + k * period,
            measurement=row,
            command=half * (k >= first + rests) if k >= first else None,
        )
        for k, row in enumerate(measured)
    )
    info: Any = None
    run = Run(Path("run.mcap"), robot, steps, 0, None, (), info)
    monkeypatch.setattr(judged, "read_run", lambda path, name: run)


def runner(*x: float) -> Array:
    """Measurements of a half-cheetah at these places."""
    rows = np.zeros((len(x), len(make_robot("half_cheetah").spec.measurement)))
    rows[:, 0] = x
    return rows


@pytest.mark.parametrize("start", [0, 1_700_000_000 * 10**9], ids=["twin", "time of day"])
def test_a_runners_return_and_speed_around_the_fault(
    monkeypatch: pytest.MonkeyPatch, start: int
) -> None:
    recorded(monkeypatch, "half_cheetah", runner(0.0, 0.1, 0.2, 0.25, 0.3), start)
    figures = task_figures(Path("run.mcap"), "half_cheetah", "run", 0.08)
    effort = 0.05 * 6 * 0.25  # of six motors at half torque
    assert figures["speed_before_fault_m_s"] == pytest.approx(2.0, rel=1e-5)
    assert figures["speed_after_fault_m_s"] == pytest.approx(1.0, rel=1e-5)
    assert figures["cost_before_fault"] == pytest.approx(effort - 2.0, rel=1e-5)
    assert figures["cost_after_fault"] == pytest.approx(effort - 1.0, rel=1e-5)
    assert figures["return"] == pytest.approx(2 * 2.0 + 2 * 1.0 - 4 * effort, rel=1e-5)


def test_a_fault_counts_from_the_first_command_that_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    places = runner(0.0, 0.0, 0.0, 0.1, 0.2, 0.25, 0.3)
    recorded(monkeypatch, "half_cheetah", places, start=3 * 10**9, first=0, rests=2)
    figures = task_figures(Path("run.mcap"), "half_cheetah", "run", 0.08)
    assert figures["speed_before_fault_m_s"] == pytest.approx((0 + 0 + 2 + 2) / 4, rel=1e-5)
    assert figures["speed_after_fault_m_s"] == pytest.approx(1.0, rel=1e-5)


def test_what_happens_before_the_first_command_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorded(monkeypatch, "half_cheetah", runner(0.0, 9.0, 9.1, 9.2), first=1)
    figures = task_figures(Path("run.mcap"), "half_cheetah", "run", None)
    assert figures["speed_before_fault_m_s"] == pytest.approx(2.0, rel=1e-5)
    assert figures["speed_after_fault_m_s"] is None


@pytest.mark.parametrize(
    ("robot", "task", "key"),
    [
        ("half_cheetah", "run", "speed_before_fault_m_s"),
        ("ant", "run", "speed_before_fault_m_s"),
        ("arm_7dof", "reach", "distance_before_fault_m"),
        ("pr2_arm", "reach", "distance_before_fault_m"),
        ("pr2_arm", "insert", "distance_before_fault_m"),
        ("pr2_arm", "stack", "distance_before_fault_m"),
        ("toy", "fast", "cost_before_fault"),
    ],
)
def test_every_task_has_figures(
    monkeypatch: pytest.MonkeyPatch, registered: Any, robot: str, task: str, key: str
) -> None:
    spec = make_robot(robot).spec
    rng = np.random.default_rng(0)
    recorded(monkeypatch, robot, 0.1 * rng.standard_normal((5, len(spec.measurement))))
    figures = task_figures(Path("run.mcap"), robot, task, None)
    assert set(NOTHING) <= set(figures) and figures["return"] is not None
    value = figures[key]
    assert value is not None and np.isfinite(value)
    if key.startswith("distance"):
        assert value > 0


@pytest.mark.parametrize(
    ("robot", "task"), [("half_cheetah", ""), ("half_cheetah", "fly"), ("unknown", "run")]
)
def test_where_nothing_can_be_judged_the_keys_are_null(
    monkeypatch: pytest.MonkeyPatch, robot: str, task: str
) -> None:
    recorded(monkeypatch, "half_cheetah", runner(0.0, 0.1, 0.2))
    assert task_figures(Path("run.mcap"), robot, task, None) == NOTHING


def test_rows_that_are_no_numbers_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(monkeypatch, "half_cheetah", runner(0.0, 0.1, np.nan, 0.3, 0.4))
    figures = task_figures(Path("run.mcap"), "half_cheetah", "run", None)
    assert figures["speed_before_fault_m_s"] == pytest.approx(2.0, rel=1e-5)
