"""A policy from outside: pure pursuit of a path (Coulter 1992), which imagines nothing.

`pip install -e .`, then `controller:=pursuit`. A policy is a planner that does not search.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from ros_mbmrl.planning.base import Cost, Deadline, Plan, Predict, WarmStart
from ros_mbmrl.planning.sampling import Limits
from ros_mbmrl.robots.spec import RobotSpec
from torch import Generator, Tensor


@dataclass(frozen=True)
class PurePursuit:
    """Drives along the arc that leads to a point of the path ahead.

    Args:
        limits: range and rate of the robot's commands.
        pose: columns of x, y, cos yaw and sin yaw in the state.
        forward, turn: columns of the speed [m/s] and the yaw rate [rad/s] in the command.
        speed: along the path [m/s].
        lookahead: distance of the point [m].
    """

    limits: Limits
    pose: tuple[int, ...]
    forward: int
    turn: int
    speed: float = 0.25
    lookahead: float = 0.3

    def plan(
        self,
        predict: Predict,
        cost: Cost,
        state: Tensor,
        reference: Tensor,
        warm_start: WarmStart,
        generator: Generator,
        deadline: Deadline | None = None,
    ) -> Plan:
        """See `Planner.plan`. reference: (M, 4), x, y, heading and length of the way ahead."""
        x, y, cos, sin = (float(state[k]) for k in self.pose)
        ahead = int((reference[:, 3] - self.lookahead).abs().argmin())
        dx, dy = float(reference[ahead, 0]) - x, float(reference[ahead, 1]) - y
        left, distance = cos * dy - sin * dx, math.hypot(dx, dy)
        left_to_go = float(reference[-1, 3])
        action = torch.zeros_like(warm_start.previous)
        action[self.forward] = min(self.speed, left_to_go)
        action[self.turn] = action[self.forward] * 2.0 * left / max(distance, 1e-3) ** 2
        actions = self.limits.enforce_(action[None].clone(), warm_start.previous)
        return Plan(actions[0].clone(), actions, math.nan, math.nan, 0, 0)


def make(
    spec: RobotSpec, speed: float = 0.25, lookahead: float = 0.3, **searching: float
) -> PurePursuit:
    """Return the policy for a base. searching: what planners that search are told.

    Raises:
        ValueError: the robot is no base, or a number is not above 0.
    """
    if not (speed > 0 and lookahead > 0):
        raise ValueError(f"expected speed and lookahead above 0, got {speed} and {lookahead}")
    states = [quantity.name for quantity in spec.state]
    units = [limit.unit for limit in spec.action]
    needed = ("x", "y", "cos_yaw", "sin_yaw")
    if not set(needed) <= set(states) or not {"m/s", "rad/s"} <= set(units):
        raise ValueError(f"{spec.name}: expected a pose, a speed [m/s] and a yaw rate [rad/s]")
    pose = tuple(states.index(name) for name in needed)
    return PurePursuit(
        Limits.of(spec), pose, units.index("m/s"), units.index("rad/s"), speed, lookahead
    )
