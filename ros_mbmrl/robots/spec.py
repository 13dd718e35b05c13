"""RobotSpec: the names, units and limits of a robot. Robot: the maps that belong to them.

Neither this file nor a robot's may import torch at module level: the safety, driver and reference
processes read the specification and do not need 200 MB of torch.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.robots.quantities import Cause, Limit, Quantity

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from ros_mbmrl.robots.live import Tunable
    from ros_mbmrl.robots.task import Task

Array = NDArray[np.float64]

TORQUE_SHARE = "of full torque"  # unit of a torque as a share of the motor's largest one


@dataclass(frozen=True)
class LiveSensor:
    """The states that one sensor measures, and the commands that move what it senses; none: any."""

    states: tuple[str, ...]
    driven_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Envelope:
    """Limits of a robot's place and state; outside of them the safety monitor takes over.

    Args:
        state_timeout, command_timeout: ages [s] above which a source is stale.
        max_model_error: recent normalised prediction error above which the model is not trusted.
        arena: (x_low, x_high, y_low, y_high) [m] in the `map` frame, for a robot that has a `pose`.
        margin: distance from the arena's edge [m] inside of which the robot is turned back.
        max_tilt: roll or pitch [rad] above which the robot counts as tipped over.
        battery_low, battery_empty: [V]; commands are limited below the first, stopped below the
            second.
        state_limits: range of a state by its name; outside of it the robot is stopped.
        state_range: range a sensor can report, by state name; values outside count as not measured.
        max_speed, max_turn_rate: of the pose [m/s], [rad/s]; larger values count as not measured.
        live_sensors: sensors whose numbers never repeat exactly while the robot is driven. An arm
            under torques has none: below friction nothing moves, and an encoder rightly repeats.
    """

    state_timeout: float
    command_timeout: float
    max_model_error: float
    arena: tuple[float, float, float, float] = (-math.inf, math.inf, -math.inf, math.inf)
    margin: float = 0.0
    max_tilt: float = math.inf
    battery_low: float = 0.0
    battery_empty: float = 0.0
    state_limits: Mapping[str, tuple[float, float]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    state_range: Mapping[str, tuple[float, float]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    max_speed: float = math.inf
    max_turn_rate: float = math.inf
    live_sensors: tuple[LiveSensor, ...] = ()

    def __post_init__(self) -> None:
        x_low, x_high, y_low, y_high = self.arena
        if not (x_low + 2 * self.margin < x_high and y_low + 2 * self.margin < y_high):
            raise ValueError(f"arena {self.arena} has no room inside a margin of {self.margin} m")
        if self.battery_empty > self.battery_low:
            raise ValueError("battery_empty is above battery_low")
        for kind in ("state_limits", "state_range"):
            for name, (low, high) in getattr(self, kind).items():
                if not low < high:
                    raise ValueError(f"{kind}: {name}: expected low < high, got {low} and {high}")
        if not (self.max_speed > 0 and self.max_turn_rate > 0):
            raise ValueError("max_speed, max_turn_rate: expected numbers above 0")


@dataclass(frozen=True)
class RobotSpec:
    """All data of a robot.

    Args:
        period: control period [s].
        measurement: what a plant observes each period, in order.
        channels: where each measurement travels, in order: a topic of the graph and the path inside
            its message, as `odom.pose.pose.position.x`. A twist in `odom` is in the body frame; a
            velocity in the map frame travels as `velocity.vector.x`.
        state: the ordered state.
        action: the ordered command with limits.
        features: names of the model's inputs (beside the action).
        changes: what the model predicts, in order.
        change_weights: weights of the changes in the loss.
        fail_together: groups of actuators that fail together, as the motors of a leg; an actuator
            in none of them fails alone.
        causes: what else can change; a model may have an input for each (`ConditionedRobot`).
        cause_frame: names of states that a model with causes has as features, too: those that turn
            causes from the map's frame into the body's.
        effectiveness_spread: standard deviation of an actuator's effectiveness from one robot to
            another when all is well.
        origin: place of the measured position's zero in the `map` frame [m]. Where it is not the
            map's own, `odom` is in the frame `odom`.
    """

    name: str
    period: float
    measurement: tuple[Quantity, ...]
    channels: tuple[str, ...]
    state: tuple[Quantity, ...]
    action: tuple[Limit, ...]
    features: tuple[str, ...]
    changes: tuple[Quantity, ...]
    change_weights: tuple[float, ...]
    envelope: Envelope
    fail_together: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    causes: tuple[Cause, ...] = ()
    cause_frame: tuple[str, ...] = ()
    effectiveness_spread: float = 0.0
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        for what, got, expected in (
            ("change weights", self.change_weights, self.changes),
            ("channels", self.channels, self.measurement),
        ):
            if len(got) != len(expected):
                raise ValueError(f"{self.name}: expected {len(expected)} {what}, got {len(got)}")
        live = self.envelope.live_sensors
        ranges = (*self.envelope.state_limits, *self.envelope.state_range)
        named = {*ranges, *(name for s in live for name in s.states)}
        unknown = named - {quantity.name for quantity in self.state}
        if unknown:
            raise ValueError(f"{self.name}: envelope of an unknown state '{sorted(unknown)[0]}'")
        movers = {name for s in live for name in s.driven_by} - {a.name for a in self.action}
        if movers:
            raise ValueError(f"{self.name}: a sensor of an unknown command '{sorted(movers)[0]}'")
        unknown = set(self.cause_frame) - {quantity.name for quantity in self.state}
        if unknown:
            raise ValueError(f"{self.name}: cause_frame of an unknown state '{sorted(unknown)[0]}'")
        self._check_groups()

    def _check_groups(self) -> None:
        """Refuse groups of unknown actuators, and an actuator that is in two of them."""
        grouped = [name for members in self.fail_together.values() for name in members]
        actuators = [limit.name for limit in self.action]
        for name in grouped:
            if name not in actuators:
                raise ValueError(f"{self.name}: a group of an unknown actuator '{name}'")
            if grouped.count(name) > 1:
                raise ValueError(f"{self.name}: actuator '{name}' is in two groups")

    @property
    def actuator_groups(self) -> Mapping[str, tuple[str, ...]]:
        """Return the groups of actuators that fail together, and each other one by itself."""
        grouped = {name for members in self.fail_together.values() for name in members}
        alone = {limit.name: (limit.name,) for limit in self.action if limit.name not in grouped}
        return {**self.fail_together, **alone}

    @property
    def command_field(self) -> str:
        """Return the JointState field that carries commands, which depends on their unit."""
        return "effort" if self.action[0].unit in ("N m", TORQUE_SHARE) else "velocity"

    @property
    def action_low(self) -> Array:
        """Return the lowest commands (da,)."""
        return np.array([limit.low for limit in self.action])

    @property
    def action_high(self) -> Array:
        """Return the highest commands (da,)."""
        return np.array([limit.high for limit in self.action])

    @property
    def rest(self) -> Array:
        """Return the command (da,) for standing still: zero, or the nearest value in the range."""
        return np.clip(np.zeros(len(self.action)), self.action_low, self.action_high)

    @property
    def action_step(self) -> Array:
        """Return the largest change of each command in one period (da,)."""
        return np.array([limit.rate * self.period for limit in self.action])


class Robot(ABC):
    """The maps between measurement, state, model features and predicted change.

    Attributes:
        older: the same robot with the features of models from before, which run as they did.
        planner, method: names of those that serve it best, as far as was measured: the defaults.
        safety: thresholds of its safety monitor that are not the usual ones, see `SafetyConfig`.
    """

    spec: RobotSpec
    planner: ClassVar[str] = "mppi"
    method: ClassVar[str] = "bayes_context_ll"
    older: ClassVar[tuple[type[Robot], ...]] = ()
    safety: Mapping[str, Any] = MappingProxyType({})

    @property
    def observed(self) -> tuple[str, ...]:
        """Return the names of what a policy sees of a state; see `observation`."""
        return self.spec.features

    @abstractmethod
    def estimate(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        """Return the state (ds,).

        Args:
            measurement: (dm,).
            previous: the measurement before it; None: every finite difference is zero.
            dt: time between the two [s].
        """

    def pose(self, state: Array) -> tuple[float, float, float] | None:
        """Return x [m], y [m], yaw [rad] in the `map` frame of a state (ds,), or None.

        None: the robot stays in place.
        """
        return None

    def tilt(self, state: Array) -> float:
        """Return the larger of |roll| and |pitch| [rad] of a state (ds,); 0: it cannot tip over."""
        return 0.0

    def battery(self, state: Array) -> float | None:
        """Return the battery voltage [V] of a state (ds,); None: it has no battery."""
        return None

    def retreat(self, state: Array, target: tuple[float, float]) -> Array:
        """Return a command (da,) that turns towards `target` [m] and goes there.

        It leads back from the fence. By default the robot stands still.
        """
        return self.spec.rest

    @abstractmethod
    def features(self, state: Tensor) -> Tensor:
        """Return model inputs (..., df) for states (..., ds)."""

    def observation(self, state: Tensor) -> Tensor:
        """Return what a policy sees of states (..., ds); by default the features of a model."""
        return self.features(state)

    def as_modelled(self, features: Sequence[str]) -> Robot:
        """Return the robot as the model of these features knows it; itself if none ever did."""
        kinds = (kind for kind in self.older if kind.spec.features == tuple(features))
        kind = next(kinds, None)
        if kind is not None:
            return kind()
        causes = tuple(cause.name for cause in self.spec.causes)
        own = (*self.spec.features, *self.spec.cause_frame, *causes)
        if causes and tuple(features) == own:
            from ros_mbmrl.robots.conditioned import ConditionedRobot

            return ConditionedRobot(self)
        return self

    @abstractmethod
    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        """Return the change (..., dc) that leads from one state (..., ds) to the next."""

    @abstractmethod
    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """Return the next state (..., ds) for a predicted change: `difference` inverted."""

    def augmentation(
        self, options: Mapping[str, float]
    ) -> Callable[[Tensor, Tensor, Tensor, Generator], tuple[Tensor, Tensor, Tensor]]:
        """Return a function that makes other robots' segments; by default it changes nothing.

        The function takes features, actions, changes (N, T, ...) and a generator on the CPU.

        Raises:
            TypeError, ValueError: an option that the robot does not have.
        """
        if options:
            raise ValueError(f"{self.spec.name} knows no augmentation, got {sorted(options)}")
        return lambda features, actions, changes, _: (features, actions, changes)

    @property
    def follows_paths(self) -> bool:
        """Return whether its tasks are the paths of `robots/paths.py`, laid from its place."""
        return {"x", "y"} <= {quantity.name for quantity in self.spec.state}

    def cost_weights(self) -> Tunable | None:
        """Return the weights of its tasks' costs at the start; None: they are fixed.

        A task whose weights may change while the robot moves has them as `weights`; see `Weighted`.
        """
        if not self.follows_paths:
            return None
        from ros_mbmrl.robots.path_following import PathWeights

        return PathWeights()

    @abstractmethod
    def tasks(self) -> Sequence[str]:
        """Return the names of the tasks (or paths) that this robot can be given."""

    @abstractmethod
    def make_task(self, name: str, start: Array) -> Task:
        """Return the task called `name`, starting at state `start` (ds,). Raises UserError."""
