"""Chance in a planner's place: what a robot does while nothing was learned yet."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.agents.chance import random_policy
from ros_mbmrl.planning.base import Cost, Deadline, Plan, Predict, WarmStart
from ros_mbmrl.planning.sampling import Limits
from ros_mbmrl.robots.spec import RobotSpec


class ChancePlanner:
    """Draws held random commands, within range and rate."""

    def __init__(self, spec: RobotSpec, rng: np.random.Generator) -> None:
        self._limits, self._draw = Limits.of(spec), random_policy(spec, rng)

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
        """See `Planner.plan`. Nothing is imagined, so there are no costs."""
        wanted = torch.as_tensor(self._draw(), dtype=torch.float32)[None]
        actions = self._limits.enforce_(wanted, warm_start.previous)
        return Plan(actions[0].clone(), actions, math.nan, math.nan, 0, 0)
