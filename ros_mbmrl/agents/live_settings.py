"""LiveSettings: the settings of a controller that may change while the robot moves. Pure.

They have the names of the controller node's parameters: `speed`, `planner.PLANNER.NAME`,
`cost.NAME`. All others, such as the horizon, are fixed at the start.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ros_mbmrl.errors import UserError
from ros_mbmrl.planning.base import Planner
from ros_mbmrl.planning.sampling import SamplingConfig
from ros_mbmrl.planning.search import SamplingPlanner
from ros_mbmrl.robots.live import Live, Tunable, retuned
from ros_mbmrl.robots.path_following import PathFollowing
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.robots.task import Task, Weighted

SLOWEST, FASTEST = 0.01, 10.0  # [m/s] along a path; the second if the robot's envelope has none
FEWEST = 16  # candidates: with less a plan is mostly luck
Number = float | int


@dataclass(frozen=True)
class LiveSettings:
    """Settings of a controller at one moment; `after` gives those after a change.

    Args:
        name: of the planner.
        planner: its configuration; None: it does not search.
        speed: along a path [m/s]; None: the robot follows none.
        fastest: largest speed along a path [m/s].
        weights: of the task's cost; None: they are fixed.
        most: candidates that the check at the start allows; 0: as many as the planner can.
        timing: measured by that check, in a few words.
    """

    name: str
    planner: SamplingConfig | None
    speed: float | None
    fastest: float
    weights: Tunable | None
    most: int = 0
    timing: str = ""

    @property
    def values(self) -> dict[str, Number]:
        """Return the value of each setting by its name."""
        speed = {} if self.speed is None else {"speed": self.speed}
        return speed | {
            f"{group}.{name}": getattr(config, name)
            for group, config in self._groups.items()
            for name in config.LIVE
        }

    @property
    def ranges(self) -> dict[str, Live]:
        """Return the range of each setting by its name, its present value included."""
        speed = Live(SLOWEST, self.fastest, "wanted speed along the path [m/s]")
        found = {} if self.speed is None else {"speed": speed}
        for group, config in self._groups.items():
            found |= {f"{group}.{name}": live for name, live in config.LIVE.items()}
        count = f"planner.{self.name}.num_samples"
        if count in found:
            most = self.most or found[count].high
            about = ": ".join(filter(None, (found[count].about, self.timing)))
            low = min(FEWEST, most)
            found[count] = replace(found[count], low=low, high=most, about=about)
        return {name: live.holding(self.values[name]) for name, live in found.items()}

    def after(self, changes: Mapping[str, object]) -> LiveSettings:
        """Return the settings after changes, by name; all of them are taken, or none.

        Raises:
            ValueError: the reason why none is.
        """
        ranges, groups = self.ranges, self._groups
        for name in changes:
            if name not in ranges:
                known = ", ".join(ranges) or "no setting"
                raise ValueError(f"{name}: expected {known}: all others are read at the start")
        given = {name: ranges[name].checked(name, value) for name, value in changes.items()}
        for group, config in groups.items():
            own = {n.rpartition(".")[2]: v for n, v in given.items() if n.startswith(f"{group}.")}
            try:
                groups[group] = retuned(config, own)
            except ValueError as error:
                raise ValueError(f"{group}.{error}") from None
        planner: Any = groups.get(f"planner.{self.name}")
        speed = given.get("speed", self.speed)
        return replace(self, planner=planner, speed=speed, weights=groups.get("cost"))

    def since(self, before: LiveSettings) -> dict[str, Number]:
        """Return the settings whose values differ from those `before`."""
        return {name: value for name, value in self.values.items() if before.values[name] != value}

    def planning(self, planner: Planner) -> Planner:
        """Return the planner with these settings; the same one if it has them."""
        if self.planner is None or not isinstance(planner, SamplingPlanner):
            return planner
        return planner if planner.config == self.planner else planner.retuned(self.planner)

    def tune(self, task: Task) -> None:
        """Give the settings to a task, between two plans; its progress stays."""
        if self.speed is not None and isinstance(task, PathFollowing):
            task.speed = self.speed
        known = isinstance(task, Weighted) and type(task.weights) is type(self.weights)
        if known:
            task.weights = self.weights  # type: ignore[attr-defined]

    @property
    def _groups(self) -> dict[str, Tunable]:
        """Configurations by the group of their settings' names."""
        groups: dict[str, Tunable | None] = {
            f"planner.{self.name}": self.planner,
            "cost": self.weights,
        }
        return {name: config for name, config in groups.items() if config is not None}


def live_settings(
    robot: Robot, name: str, planner: Planner, speed: float, cost: Mapping[str, Any]
) -> LiveSettings:
    """Return the settings of a controller at the start.

    Args:
        robot: it plans for.
        name: of the planner.
        planner: it searches with.
        speed: along a path [m/s].
        cost: weights of the task's cost by name, where they are not the robot's own.

    Raises:
        UserError: no such weight, or one out of its range.
    """
    weights = robot.cost_weights()
    if cost and weights is None:
        raise UserError(f"cost: the weights of {robot.spec.name}'s tasks are fixed: expected none")
    try:
        weights = None if weights is None else retuned(weights, cost)
    except ValueError as error:
        raise UserError(f"cost.{error}") from None
    fastest = robot.spec.envelope.max_speed
    return LiveSettings(
        name=name,
        planner=planner.config if isinstance(planner, SamplingPlanner) else None,
        speed=speed if robot.follows_paths else None,
        fastest=fastest if math.isfinite(fastest) else FASTEST,
        weights=weights,
    )
