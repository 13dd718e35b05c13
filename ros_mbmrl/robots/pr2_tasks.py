"""The PR2's left arm with an object in its hand: reaching, insertion and stacking.

The tasks of the thesis, section 8.4.5: an object is a fixed extension of the hand, and the three
points of the tool tell its pose. Each task is a robot of its own, as what the hand holds and what
stands before it belong to the dynamics. Lengths along the hand's axis are from the tool's frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ros_mbmrl.errors import choose
from ros_mbmrl.robots.pr2_arm import SPEC, PR2Arm
from ros_mbmrl.robots.pr2_kinematics import tool_points
from ros_mbmrl.robots.spec import Array, RobotSpec

if TYPE_CHECKING:
    from ros_mbmrl.robots.held_object import HeldWeights
    from ros_mbmrl.robots.task import Task


@dataclass(frozen=True)
class HandTask:
    """One of the tasks.

    Args:
        name: of the task, as in the thesis.
        goal: joint angles (7,) [rad] at which it is done; where there is contact, the hand points
            straight down.
        start: joint angles (7,) [rad] around which an episode begins.
        spread: half-width of the uniform draw around them [rad].
        tolerance: largest distance from the goal with which it counts as done [m]: of the farthest
            point if nothing is held, else of the points' centre, upwards, and sideways.
        holds: whether there is an object in the hand.
    """

    name: str
    goal: tuple[float, ...]
    start: tuple[float, ...]
    spread: float
    tolerance: float
    holds: bool = True

    def __post_init__(self) -> None:
        if len(self.goal) != 7 or len(self.start) != 7:
            raise ValueError(
                f"goal, start: expected 7 angles, got {len(self.goal)} and {len(self.start)}"
            )
        if not (self.spread >= 0 and self.tolerance > 0):
            raise ValueError(
                "spread, tolerance: expected at least 0 and above 0, got "
                f"{self.spread} and {self.tolerance}"
            )

    @property
    def points(self) -> Array:
        """Return x, y, z of the tool's points at the goal (9,) [m]."""
        return tool_points(np.array(self.goal))


@dataclass(frozen=True)
class Peg:
    """A square peg along the hand's axis, and the box with the square hole for it.

    Args:
        half: half of the peg's width [m].
        back, tip: where the peg begins and ends along the hand's axis [m].
        clearance: between peg and hole on each side [m].
        inserted: depth of the tip in the hole at the goal [m].
        depth: of the hole [m].
        box: half of the box's width [m].
        mass: of the peg [kg].
    """

    half: float = 0.02
    back: float = -0.02
    tip: float = 0.08
    clearance: float = 0.003
    inserted: float = 0.04
    depth: float = 0.042
    box: float = 0.08
    mass: float = 0.2


@dataclass(frozen=True)
class Block:
    """A block that is open below, and the fixed base with a square stud that it goes onto.

    Args:
        half: half of the block's width [m].
        back, top, bottom: where its stem and the closed part begin, and where the block ends, along
            the hand's axis [m].
        hollow: height of the open part [m].
        stud: half of the stud's width [m].
        height: of the stud [m].
        clearance: between stud and block on each side [m].
        base: half of the base's width [m].
        mass: of the block [kg].
    """

    half: float = 0.03
    back: float = -0.02
    top: float = 0.03
    bottom: float = 0.07
    hollow: float = 0.02
    stud: float = 0.015
    height: float = 0.015
    clearance: float = 0.003
    base: float = 0.05
    mass: float = 0.2


PEG, BLOCK = Peg(), Block()

TASKS: Mapping[str, HandTask] = MappingProxyType(
    {
        "reach": HandTask(
            "reach",
            goal=(0.2, 0.0, 0.6, -0.9, 0.6, -0.5, 0.4),
            start=(0.6, 0.3, 1.0, -1.2, 0.3, -0.8, 0.0),
            spread=0.15,
            tolerance=0.01,
            holds=False,
        ),
        # The starts are about 0.15 m above and 0.06 m beside the goals, turned by 0.2 rad.
        "insertion": HandTask(
            "insertion",
            goal=(0.62981, -0.20358, 1.90345, -1.54383, 1.34696, -1.25114, 0.0081),
            start=(0.783, -0.203, 1.4, -1.632, 1.355, -1.725, 0.169),
            spread=0.03,
            tolerance=0.005,
        ),
        "stacking": HandTask(
            "stacking",
            goal=(0.66164, -0.13621, 1.82567, -1.44946, 1.40034, -1.33716, 0.1013),
            start=(0.799, -0.17, 1.408, -1.55, 1.402, -1.735, 0.273),
            spread=0.03,
            tolerance=0.003,
        ),
    }
)


def _spec(name: str) -> RobotSpec:
    """Return the arm's specification without causes: what the hand holds is known.

    A torque may follow any other, as the thesis commands torques directly.
    """
    free = tuple(
        replace(limit, rate=(limit.high - limit.low) / SPEC.period) for limit in SPEC.action
    )
    return replace(SPEC, name=name, action=free, causes=(), effectiveness_spread=0.0)


class PR2Hand(PR2Arm):
    """The arm with one task; see `PR2Arm`."""

    task: HandTask
    planner = "icem"
    method = "mb"

    def tasks(self) -> Sequence[str]:
        """Return its only task."""
        return (self.task.name,)

    def cost_weights(self) -> HeldWeights:
        """Return the weights of the thesis's reward. See `Robot.cost_weights`."""
        from ros_mbmrl.robots.held_object import HeldWeights

        return HeldWeights()

    def make_task(self, name: str, start: Array) -> Task:
        """Return the task of bringing the points to their targets. Raises UserError."""
        from ros_mbmrl.robots.held_object import BringObject

        choose("task", name, self.tasks())
        return BringObject(self, self.task)


class PR2Reach(PR2Hand):
    """Bring the points of the empty hand to their targets."""

    spec, task = _spec("pr2_reach"), TASKS["reach"]


class PR2Insertion(PR2Hand):
    """Insert a square peg into a square hole."""

    spec, task = _spec("pr2_insertion"), TASKS["insertion"]


class PR2Stacking(PR2Hand):
    """Put a block onto the stud of a base."""

    spec, task = _spec("pr2_stacking"), TASKS["stacking"]
