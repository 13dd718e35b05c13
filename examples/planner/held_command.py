"""A planner from outside: the best of many commands, each held over the horizon.

`pip install -e .`, then `controller:=held`, or `--controller held`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from ros_mbmrl.planning.base import Cost, Deadline, NoFinitePlan, Plan, Predict, WarmStart
from ros_mbmrl.planning.sampling import Limits, check_count
from ros_mbmrl.robots.spec import RobotSpec
from torch import Generator, Tensor


@dataclass(frozen=True)
class HeldCommand:
    """Draws constant plans over the whole range and takes the cheapest one.

    Args:
        limits: range and rate of the robot's commands.
        num_samples: K, how many plans are drawn.
        horizon: H, how many steps are imagined.
    """

    limits: Limits
    num_samples: int = 200
    horizon: int = 5

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
        """See `Planner.plan`. So few candidates need no deadline."""
        count, low = self.num_samples, self.limits.low
        drawn = low + self.limits.span * torch.rand((count, 1, len(low)), generator=generator)
        drawn[0] = warm_start.previous
        actions = drawn.repeat(1, self.horizon, 1)
        self.limits.enforce_(actions, warm_start.previous)
        states = predict(state.expand(count, -1), actions)
        costs = cost(states, actions, reference)
        finite = costs[costs.isfinite()]
        if not len(finite):
            raise NoFinitePlan(f"none of {count} plans has a finite cost")
        best = actions[costs.nan_to_num(nan=torch.inf).argmin()]
        least, mean = float(finite.min()), float(finite.mean())
        return Plan(best[0].clone(), best, least, mean, len(finite), count)


def make(spec: RobotSpec, num_samples: int = 200, horizon: int = 5) -> HeldCommand:
    """Return the planner for a robot; what else is called a parameter is an error.

    Raises:
        ValueError: a count below 1.
    """
    check_count("num_samples", num_samples)
    check_count("horizon", horizon)
    return HeldCommand(Limits.of(spec), num_samples, horizon)
