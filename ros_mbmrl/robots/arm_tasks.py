"""Tasks of an arm: bring points of its tool to a goal, as a cost on imagined states.

The reward is that of the thesis, section 8.4.5, after Levine et al. 2015: r(d) = -w d^2 - v log(d^2
+ a) with the distance d to a fixed goal, and two small quadratic penalties on joint velocity and
torque. The logarithm rewards precision near the goal, the square rewards speed far from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from ros_mbmrl.errors import choose
from ros_mbmrl.robots.live import Live
from ros_mbmrl.robots.pr2_kinematics import tool_points
from ros_mbmrl.robots.pr2_limits import JOINTS
from ros_mbmrl.robots.spec import Array, Robot


@dataclass(frozen=True)
class ArmWeights:
    """Weights of the terms of an arm's cost.

    Args:
        square: w of r(d).
        log: v of r(d).
        softness: a of r(d) [m^2].
        velocity: weight of the mean squared joint velocity, in units of 1 rad/s.
        torque: weight of the mean squared torque, as a fraction of its range. With a smaller weight
            the planner gets stuck at the end of a torque range: at a soft limit the robot's own law
            limits all larger torques to the same value.
        limit: weight of the summed squared distances by which joints are inside `margin` of a soft
            limit. Not in the thesis: an arm of seven joints drifts until one joint is caught there.
        margin: distance from a soft limit [rad].
    """

    LIVE: ClassVar[Mapping[str, Live]] = MappingProxyType(
        {
            "square": Live(0.0, 1e4, "weight of the squared distance from the goal"),
            "log": Live(0.0, 1e4, "weight of the distance's logarithm"),
            "velocity": Live(0.0, 1e4, "weight of the joints' velocity"),
            "torque": Live(0.0, 1e4, "weight of the torque"),
            "limit": Live(0.0, 1e6, "weight of coming near to a joint's soft limit"),
        }
    )

    square: float = 1.0
    log: float = 1.0
    softness: float = 1e-5
    velocity: float = 1.0
    torque: float = 5.0
    limit: float = 100.0
    margin: float = 0.3

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            positive = name == "softness"
            if not (value > 0 or (value == 0 and not positive)):
                expected = "a number above 0" if positive else "a number of at least 0"
                raise ValueError(f"{name}: expected {expected}, got {value!r}")


@dataclass(frozen=True)
class Goal:
    """Goal of the tool's points, and how to approach it.

    Args:
        posture: joint angles (7,) [rad] that put the points at the goal.
        funnel: how much higher the points should be per metre beside the goal; 0: any approach.
        clearance: upper bound of that extra height [m].
    """

    posture: tuple[float, ...]
    funnel: float = 0.0
    clearance: float = 0.0

    @property
    def points(self) -> Array:
        """Return x, y, z of the points at the goal (9,) [m]."""
        return tool_points(np.array(self.posture))


# Postures in front of the robot; for `insert` and `stack` the gripper points down.
GOALS: Mapping[str, Goal] = MappingProxyType(
    {
        "reach": Goal((0.2, 0.0, 0.6, -0.9, 0.6, -0.5, 0.4)),
        "insert": Goal((0.62, -0.13, 1.97, -1.53, 1.41, -1.18, 0.0), funnel=3.0, clearance=0.1),
        "stack": Goal((0.65, -0.2, 1.79, -1.31, 1.31, -1.41, 0.0), funnel=3.0, clearance=0.05),
    }
)


class BringPoints:
    """A `Task`: bring the tool's points to a goal and keep them at rest there.

    A held object counts as a part of the tool, as in the thesis. Works on any leading dimensions.

    Args:
        robot: an arm with the states `point_0_x` and following.
        goal: x, y, z of the points (9,) [m].
        funnel, clearance: see `Goal`.
        weights: of the terms of the cost; those of `LIVE` may be exchanged between two plans.
    """

    batched = True

    def __init__(
        self,
        robot: Robot,
        goal: Array,
        funnel: float = 0.0,
        clearance: float = 0.0,
        weights: ArmWeights | None = None,
    ) -> None:
        names = [quantity.name for quantity in robot.spec.state]
        first = names.index("point_0_x")
        self.goal = goal
        self.weights = weights or ArmWeights()
        self._points = slice(first, first + 9)
        self._velocities = [k for k, name in enumerate(names) if name.endswith("_velocity")]
        self._angles = [
            names.index(joint.name.removeprefix("l_").removesuffix("_joint"))
            for joint in JOINTS
            if not joint.continuous
        ]
        limited = [joint for joint in JOINTS if not joint.continuous]
        self._low = torch.tensor([j.soft_lower for j in limited]) + self.weights.margin
        self._high = torch.tensor([j.soft_upper for j in limited]) - self.weights.margin
        self._funnel, self._clearance = funnel, clearance
        span = robot.spec.action_high - robot.spec.action_low
        self._span = torch.as_tensor(span, dtype=torch.float32)

    def distances(self, state: Array) -> Array:
        """Return the distance of each point from its goal (3,) [m] for a state (ds,)."""
        error = (np.asarray(state)[self._points] - self.goal).reshape(3, 3)
        return np.asarray(np.linalg.norm(error, axis=1))

    def measured(self, states: Array) -> dict[tuple[str, str], Array]:
        """Return the distance of the farthest point from its goal. See `Measured.measured`."""
        error = (states[1:, self._points] - self.goal).reshape(-1, 3, 3)
        return {("distance", "m"): np.linalg.norm(error, axis=-1).max(axis=-1)}

    def reference(self, state: Array) -> Tensor:
        """Return the goal (3, 3) [m], one row for each point."""
        return torch.as_tensor(self.goal.reshape(3, 3), dtype=torch.float32)

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        """Return the mean over the steps of -r(d) and the penalties, (..., K). See `Task.cost`.

        reference: (..., 3, 3).
        """
        weights = self.weights
        points = states[..., 1:, self._points]
        points = points.reshape(*points.shape[:-1], 3, 3)
        square = self._squared_distance(points, reference[..., None, None, :, :])
        cost = weights.square * square + weights.log * (square + weights.softness).log()
        cost = cost + weights.velocity * states[..., 1:, self._velocities].square().mean(-1)
        angles = states[..., 1:, self._angles]
        near = (angles - angles.clamp(self._low, self._high)).square().sum(-1)
        cost = cost + weights.limit * near
        cost = cost + weights.torque * (actions / self._span).square().mean(-1)
        return cost.mean(-1)

    def _squared_distance(self, points: Tensor, goal: Tensor) -> Tensor:
        """Return d^2 [m^2], the mean over the points, (..., K, H), for points (..., K, H, 3, 3)."""
        error = points - goal
        if self._funnel:
            # Beside the goal the target height is raised, so that the tool comes down from straight
            # above.
            beside = error[..., :2].square().sum(-1).mean(-1).sqrt()
            lift = (self._funnel * beside).clamp_max(self._clearance)
            error = torch.cat([error[..., :2], error[..., 2:] - lift[..., None, None]], dim=-1)
        return error.square().sum(-1).mean(-1)


def make_arm_task(robot: Robot, name: str, weights: ArmWeights | None = None) -> BringPoints:
    """Return the task called `name`. Raises UserError."""
    choose("task", name, GOALS)
    goal = GOALS[name]
    return BringPoints(robot, goal.points, goal.funnel, goal.clearance, weights)
