"""Algorithm 10 of the thesis for N simulated robots at once; one of them is `ControlLoop`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.agents.base import Action, Agent, Context, Diagnostics, Flags
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.robots.task import Task
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import Health, Level, SafetyConfig
from ros_mbmrl.simulation.environment import Environment

SAFETY = SafetyConfig(start_updates=1)  # simulated robots begin with a good state


@dataclass(frozen=True)
class Episodes:
    """The record of N robots over T steps.

    Args:
        times: (T+1,) [s].
        states: (T+1, N, ds), as estimated.
        actions: (T, N, da), as sent.
        rewards: (T, N).
        levels: (T, N), of safety (`Level`).
        terminated: (T, N), as the environment says.
        diagnostics: (T, N) each; None of an agent without a model.
    """

    times: Array
    states: Array
    actions: Array
    rewards: Array
    levels: NDArray[np.int8]
    terminated: Flags
    diagnostics: Diagnostics | None

    @property
    def lasted(self) -> NDArray[np.intp]:
        """Number of transitions (N,) before a robot was stopped for good, terminated, or was lost.

        Lost: a state that is not finite.
        """
        finite = np.asarray(np.isfinite(self.states).all(axis=2))
        over = (self.levels == Level.LATCHED) | self.terminated | ~finite[1:]
        over[0] |= ~finite[0]
        return np.where(over.any(axis=0), over.argmax(axis=0), len(over))


def run_episodes(
    environment: Environment,
    agent: Agent,
    steps: int,
    seeds: Sequence[int],
    tasks: Sequence[Task] | None = None,
) -> Episodes:
    """Observe, act, check, command, `steps` times, from where the robots are.

    tasks: the environment's own if none are given. Raises ValueError for robots whose clocks
    differ.
    """
    robot, count = environment.robot, len(environment)
    if steps < 1 or len(seeds) != count:
        raise ValueError(
            f"steps, seeds: expected at least 1 and {count}, got {steps} and {len(seeds)}"
        )
    monitors = [SafetyMonitor(robot, SAFETY) for _ in range(count)]
    tasks = environment.tasks() if tasks is None else tasks
    agent.begin(Context(robot, seeds, tasks, environment.goals))
    times, states = [_time(environment)], [environment.states()]
    rows: list[tuple[Any, ...]] = []
    told: list[Diagnostics] = []
    for _ in range(steps):
        action = agent.act(states[-1], times[-1])
        sent, levels = _check(monitors, times[-1], states[-1], action)
        agent.acted(sent)
        after = environment.step(sent)
        rows.append((sent, after.reward, levels, after.terminated))
        if action.diagnostics is not None:
            told.append(action.diagnostics)
        times.append(_time(environment))
        states.append(environment.states())
    sent, rewards, levels, terminated = (np.array(column) for column in zip(*rows, strict=True))
    what = (np.array(times), np.array(states), sent, rewards, levels, terminated)
    return Episodes(*what, _joined(told))


def _joined(told: Sequence[Diagnostics]) -> Diagnostics | None:
    """Return the diagnostics of all steps, (T, N) each."""
    if not told:
        return None
    names = [field.name for field in fields(Diagnostics)]
    columns = {name: [getattr(each, name) for each in told] for name in names}
    known = {name: np.array(own) for name, own in columns.items() if own[0] is not None}
    return Diagnostics(**known)


def _time(environment: Environment) -> float:
    """Return the time that all rows have [s]."""
    times = environment.times
    if not (times == times[0]).all():
        raise ValueError(f"expected robots that began together, got times {times}")
    return float(times[0])


def _check(
    monitors: Sequence[SafetyMonitor],
    now: float,
    states: Array,
    action: Action,
) -> tuple[Array, NDArray[np.int8]]:
    """Return the commands (N, da) that safety lets through, and its levels (N,)."""
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
