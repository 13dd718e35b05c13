"""Algorithm 10 of the thesis for N simulated robots at once; one of them is `ControlLoop`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.agents.base import Action, Agent, Context, Diagnostics
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.robots.task import Task
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import Health, SafetyConfig
from ros_mbmrl.simulation.worlds import Worlds

SAFETY = SafetyConfig(start_updates=1)  # simulated robots begin with a good state


@dataclass(frozen=True)
class Episodes:
    """What happened to N robots in T steps.

    Args:
        times: (T+1,) [s].
        states: (T+1, N, ds), as estimated.
        actions: (T, N, da), as sent.
        rewards: (T, N).
        levels: (T, N), of safety (`Level`).
        diagnostics: (T, N) each; None of an agent without a model.
    """

    times: Array
    states: Array
    actions: Array
    rewards: Array
    levels: NDArray[np.int8]
    diagnostics: Diagnostics | None


def run_episodes(
    worlds: Worlds,
    agent: Agent,
    steps: int,
    seeds: Sequence[int],
    tasks: Sequence[Task] | None = None,
) -> Episodes:
    """Observe, act, check, command, `steps` times, from where the worlds are.

    tasks: the robots' own if none are given.
    """
    robot, count = worlds.robot, len(worlds)
    if steps < 1 or len(seeds) != count:
        raise ValueError(
            f"steps, seeds: expected at least 1 and {count}, got {steps} and {len(seeds)}"
        )
    estimators = [StateEstimator(robot) for _ in range(count)]
    monitors = [SafetyMonitor(robot, SAFETY) for _ in range(count)]
    agent.begin(Context(robot, seeds, worlds.tasks() if tasks is None else tasks, worlds.goals))
    times, states = [worlds.time], [_estimate(worlds, estimators)]
    rows: list[tuple[Any, ...]] = []
    told: list[Diagnostics] = []
    for _ in range(steps):
        action = agent.act(states[-1], times[-1])
        sent, levels = _check(monitors, times[-1], states[-1], action)
        agent.acted(sent)
        rows.append((sent, worlds.step(sent), levels))
        if action.diagnostics is not None:
            told.append(action.diagnostics)
        times.append(worlds.time)
        states.append(_estimate(worlds, estimators))
    actions, rewards, levels = (np.array(column) for column in zip(*rows, strict=True))
    return Episodes(np.array(times), np.array(states), actions, rewards, levels, _joined(told))


def _joined(told: Sequence[Diagnostics]) -> Diagnostics | None:
    """Return the diagnostics of all steps, (T, N) each."""
    if not told:
        return None
    names = (field.name for field in fields(Diagnostics))
    return Diagnostics(*(np.array([getattr(each, name) for each in told]) for name in names))


def _estimate(worlds: Worlds, estimators: Sequence[StateEstimator]) -> Array:
    """States (N, ds)."""
    now = worlds.time
    rows = zip(estimators, worlds.measurements(), strict=True)
    return np.array([estimator.update(Measurement(now, row)) for estimator, row in rows])


def _check(
    monitors: Sequence[SafetyMonitor],
    now: float,
    states: Array,
    action: Action,
) -> tuple[Array, NDArray[np.int8]]:
    """Commands (N, da) that safety lets through, and its levels (N,)."""
    none = np.zeros(len(states))
    failed = none > 0 if action.failed is None else action.failed
    errors = none if action.diagnostics is None else action.diagnostics.error_after
    checked = []
    for n, monitor in enumerate(monitors):
        health = Health(model_error=float(errors[n]), planner_failed=bool(failed[n]))
        proposed = None if failed[n] else action.commands[n]
        checked.append(monitor.update(now, proposed, states[n], health))
    levels = np.array([each.level for each in checked], dtype=np.int8)
    return np.array([each.action for each in checked]), levels
