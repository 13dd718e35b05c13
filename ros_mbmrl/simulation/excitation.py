"""Random commands for many robots at once: what data are collected with before there is a model."""

from __future__ import annotations

import numpy as np

from ros_mbmrl.agents.chance import LONGEST_HOLD
from ros_mbmrl.robots.spec import Array, RobotSpec


def held_actions(spec: RobotSpec, rng: np.random.Generator, steps: int, count: int) -> Array:
    """Commands (steps, count, da), uniform over their range, each held for 1 to 10 steps.

    Held ones cover far more of the state space than white noise does. A robot's commands do not
    depend on how many robots there are.
    """
    low, high = spec.action_low, spec.action_high
    plans = []
    for own in rng.spawn(count):
        holds = own.integers(1, LONGEST_HOLD + 1, steps)
        plans.append(np.repeat(own.uniform(low, high, (steps, len(low))), holds, axis=0)[:steps])
    return np.stack(plans, axis=1)
