"""Rewards for running along a course, as data: the thesis, appendices A.2 and C.4.2.

The same formula serves arrays and tensors, judges and planners.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ros_mbmrl.robots.spec import Array

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Course:
    """Direction and speed to run at.

    Args:
        heading: from x towards y [rad]; pi: backward.
        speed: to keep [m/s]; inf: as fast as possible.
    """

    heading: float = 0.0
    speed: float = math.inf

    def __post_init__(self) -> None:
        if not math.isfinite(self.heading):
            raise ValueError(f"heading: expected a finite angle, got {self.heading}")
        if not self.speed > 0:
            raise ValueError(f"speed: expected a number above 0, got {self.speed}")

    @property
    def values(self) -> Array:
        """Return direction x, direction y, 1 if the speed is free, and the speed to keep (4,)."""
        free = math.isinf(self.speed)
        direction = math.cos(self.heading), math.sin(self.heading)
        return np.array([*direction, float(free), 0.0 if free else self.speed])


FORWARD, BACKWARD = Course(), Course(math.pi)


@dataclass(frozen=True)
class Trunk:
    """Places of the trunk's numbers in a state, in which x is the first one.

    Args:
        y, z: its position [m]; None: it has none.
        tilt: its angle from upright [rad], if it moves in a plane.
        rotation: the first of its quaternion w, x, y, z, if it moves in space.
        head: height of the head above the trunk's origin [m], of one that moves in space.
    """

    y: int | None = None
    z: int | None = None
    tilt: int | None = None
    rotation: int | None = None
    head: float = 0.0

    def height(self, states: Any) -> Any:
        """Return heights (...) [m] of the head of states (..., ds)."""
        if self.z is None:
            raise ValueError("height: expected a robot that has one")
        height = states[..., self.z]
        if self.rotation is None or not self.head:
            return height
        x, y = states[..., self.rotation + 1], states[..., self.rotation + 2]
        return height + self.head * (1.0 - 2.0 * (x**2 + y**2))


@dataclass(frozen=True)
class Score:
    """Reward for a control period of running:

        progress v - effort |a|^2 + alive
            - low max(lowest - h, 0) - wild sum(max(|s| - 100, 0)) - stand (h - target)^2
            + upright [upright_low <= z <= upright_high]

    v: displacement along the course over the period; with a speed to keep, -|v - speed|.
    h: height of the head at the period's end, z of the trunk. s: the state there, without x.
    """

    period: float
    trunk: Trunk = Trunk()
    progress: float = 1.0
    effort: float = 0.0
    alive: float = 0.0
    low: float = 0.0
    lowest: float = 0.0
    wild: float = 0.0
    stand: float = 0.0
    target: float = 0.0
    upright: float = 0.0
    upright_low: float = 1.0
    upright_high: float = 2.0

    def __post_init__(self) -> None:
        if not self.period > 0:
            raise ValueError(f"period: expected more than 0 s, got {self.period}")
        for name in ("progress", "effort", "low", "wild", "stand", "upright"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        if (self.low or self.stand or self.upright) and self.trunk.z is None:
            raise ValueError("low, stand, upright: expected 0 for a robot without a height")

    def speed(self, before: Any, after: Any, course: Any) -> Any:
        """Return speeds along courses (..., 4) [m/s], between states (..., ds) a period apart."""
        moved = (after[..., 0] - before[..., 0]) * course[..., 0]
        if self.trunk.y is not None:
            moved = moved + (after[..., self.trunk.y] - before[..., self.trunk.y]) * course[..., 1]
        return moved / self.period

    def reward(self, before: Any, actions: Any, after: Any, course: Any) -> Any:
        """Return rewards (...).

        Args:
            before, after: states (..., ds) at the period's beginning and end.
            actions: commands (..., da) in between.
            course: `Course.values` (..., 4).
        """
        speed, free, pace = self.speed(before, after, course), course[..., 2], course[..., 3]
        gain = free * speed - (1.0 - free) * abs(speed - pace)
        reward = self.progress * gain - self.effort * (actions**2).sum(-1) + self.alive
        if self.low:
            reward = reward - self.low * (self.lowest - self.trunk.height(after)).clip(min=0.0)
        if self.wild:
            reward = reward - self.wild * (abs(after[..., 1:]) - 100.0).clip(min=0.0).sum(-1)
        if self.stand:
            reward = reward - self.stand * (self.trunk.height(after) - self.target) ** 2
        if self.upright:
            z = after[..., self.trunk.z]
            reward = reward + self.upright * ((self.upright_low <= z) & (z <= self.upright_high))
        return reward


@dataclass(frozen=True)
class Healthy:
    """States in which an episode goes on; outside of them it terminates.

    Args:
        height: range of the trunk's height [m].
        tilt: largest angle from upright [rad].
        largest: absolute value of every number but x.
    """

    height: tuple[float, float] = (-math.inf, math.inf)
    tilt: float = math.inf
    largest: float = math.inf

    def __post_init__(self) -> None:
        low, high = self.height
        if not (low < high and self.tilt > 0 and self.largest > 0):
            raise ValueError("height, tilt, largest: expected low < high, and numbers above 0")

    def holds(self, states: Any, trunk: Trunk) -> Any:
        """Tell which of the states (N, ds) are healthy (N,). Arrays and tensors both work."""
        well = (abs(states[:, 1:]) < self.largest).all(1)
        if trunk.z is not None:
            low, high = self.height
            well &= (low < states[:, trunk.z]) & (states[:, trunk.z] < high)
        if trunk.tilt is not None:
            well &= abs(states[:, trunk.tilt]) < self.tilt
        return well


@dataclass(frozen=True)
class Rules:
    """Reward of an environment, and where its episodes terminate.

    Args:
        score: of a control period.
        healthy: states in which an episode goes on; None: it goes on in all.
    """

    score: Score
    healthy: Healthy | None = None

    def ended(self, states: Any) -> Any:
        """Tell in which states (N, ds), an array or a tensor, an episode terminates (N,)."""
        if self.healthy is None:
            return states[:, 0] != states[:, 0]  # in none: a state is finite
        return ~self.healthy.holds(states, self.score.trunk)


class RunCourse:
    """A `Task`: run along a course. Works on any leading dimensions.

    The reference is the course, always the same one.
    """

    batched = stationary = True

    def __init__(self, score: Score, course: Course = FORWARD) -> None:
        self.score, self.course = score, course

    def reference(self, state: Array) -> Tensor:
        """Return `Course.values` (4,)."""
        import torch

        return torch.as_tensor(self.course.values, dtype=torch.float32)

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        """Return the summed negative rewards (..., K). See `Task.cost`.

        reference: (..., 4), of several robots; empty, as a stationary task's may be: its own.
        """
        if not reference.numel():
            reference = self.reference(np.zeros(0)).to(states.device)
        course = reference[..., None, None, :]
        before, after = states[..., :-1, :], states[..., 1:, :]
        rewards: Tensor = self.score.reward(before, actions, after, course)
        return -rewards.sum(-1)

    def measured(self, states: Array) -> dict[tuple[str, str], Array]:
        """Return the speed along the course. See `Measured.measured`."""
        speed = self.score.speed(states[:-1], states[1:], self.course.values)
        return {("speed", "m_s"): np.asarray(speed)}


class SwitchingCourse(RunCourse):
    """A `Task`: run along a course that changes as time goes on, a control period a reference.

    Args:
        score: of a control period.
        courses: one after the other, each with the control period that it begins with; the first
            one begins with 0.
    """

    stationary = False

    def __init__(self, score: Score, courses: Sequence[tuple[int, Course]]) -> None:
        super().__init__(score, courses[0][1])
        self._courses, self._period = tuple(courses), 0

    def reference(self, state: Array) -> Tensor:
        """Return the `Course.values` (4,) of this control period; the next one is the next."""
        self.course = [course for begin, course in self._courses if begin <= self._period][-1]
        self._period += 1
        return super().reference(state)
