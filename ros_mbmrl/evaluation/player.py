"""Player: a recorded run's states and commands for an agent, and its tasks and settings.

The agent is driven as in the adaptive process (`nodes/adaptive.py`), with what was recorded in
place of the robot.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ros_mbmrl.agents.live import Answer, LiveAgent
from ros_mbmrl.agents.live_settings import live_settings
from ros_mbmrl.data.steps import NANO, Change, Run, Step
from ros_mbmrl.robots.path_following import PathFollowing
from ros_mbmrl.robots.paths import Path
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.robots.task import Task


@dataclass(frozen=True)
class ReplayConfig:
    """Settings of a replay.

    method: as the model's card says, where empty. planner: its settings by name. task: what is
    planned for where the recording has no reference; nothing is planned where it is empty.
    speed: along a path [m/s]. cost: weights of the task's cost by name. horizon: steps ahead of
    the second prediction error.
    """

    method: str = ""
    controller: str = "mppi"
    planner: Mapping[str, Any] | None = None
    task: str = ""
    speed: float = 0.25
    cost: Mapping[str, Any] | None = None
    seed: int = 0
    horizon: int = 8

    def __post_init__(self) -> None:
        if self.horizon < 1:
            raise ValueError(f"horizon: expected at least 1 step, got {self.horizon}")
        if isinstance(self.speed, bool) or not isinstance(self.speed, int | float):
            raise ValueError(f"speed: expected a number [m/s], got {self.speed!r}")
        if not self.speed > 0:
            raise ValueError(f"speed: expected above 0 m/s, got {self.speed}")


@dataclass(frozen=True)
class Applied:
    """A recorded change of settings, and why it could not be applied here; empty: it was.

    time: on the plant's clock [s]. values: by name.
    """

    time: float
    values: Mapping[str, float | int]
    why_not: str

    def __str__(self) -> str:
        values = ", ".join(f"{name} = {value:g}" for name, value in self.values.items())
        told = f"at {self.time:.2f} s {values} was set in the run"
        if not self.why_not:
            return f"{told}, and here"
        return f"{told}, not here ({self.why_not}): commands differ from then on"


class Player:
    """Drives the agent with recorded states and commands."""

    def __init__(self, run: Run, robot: Robot, agent: LiveAgent, config: ReplayConfig) -> None:
        self._run, self._robot, self._agent, self._config = run, robot, agent, config
        self._settings = live_settings(
            robot, config.controller, agent.planner, config.speed, config.cost or {}
        )
        self._ahead = deque(run.changes)
        self.changes: list[Applied] = []
        self._reference = 0  # which reference the agent follows, counted from 1
        self._asked: Step | None = None

    def observe(self, step: Step, state: Array) -> None:
        """Tell what was sent in answer to the last state, then the new one."""
        asked, self._asked = self._asked, None
        if asked is not None and asked.command is not None and not asked.limited:
            self._agent.acted(asked.command[None])
        self._agent.observe(state[None], step.time)

    def answer(self, step: Step, state: Array) -> Answer:
        """Return the agent's answer; it has no plan where there is nothing to plan for."""
        self._asked = step
        while self._ahead and (self._ahead[0].clock, self._ahead[0].stamp) <= (
            step.clock,
            step.stamp,
        ):
            self._change(self._ahead.popleft())
        wanted = max(step.reference, 1) if self._run.references else 0
        if self._agent.task is None or wanted != self._reference:
            task = self._task(wanted, state)
            if task is not None:
                self._reference = wanted
                self._agent.follow(task)
        return self._agent.answer(delay=step.planned_delay)

    def _change(self, change: Change) -> None:
        """Set what was set in the run, as the controller's node takes it over."""
        why_not = ""
        try:
            self._settings = self._settings.after(change.values)
        except ValueError as error:
            why_not = str(error)
        self.changes.append(Applied(change.stamp / NANO, change.values, why_not))
        self._agent.plan_with(self._settings.planning(self._agent.planner))
        if self._agent.task is not None:
            self._settings.tune(self._agent.task)

    def _task(self, wanted: int, state: Array) -> Task | None:
        if not wanted and not self._config.task:
            return None
        if wanted:
            points = self._run.references[wanted - 1]
            task: Task = PathFollowing(self._robot, Path.from_points(points))
        else:
            task = self._robot.make_task(self._config.task, state)
        self._settings.tune(task)
        return task
