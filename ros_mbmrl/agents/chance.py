"""Policies that need no model: commands for collecting data."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ros_mbmrl.robots.spec import Array, RobotSpec

LONGEST_HOLD = 10  # control steps
EQUAL = 0.25  # share of the commands that take the same part of every range

Policy = Callable[[], Array]


def random_policy(spec: RobotSpec, rng: np.random.Generator) -> Policy:
    """Actions (da,) uniform over their range, each held for 1 to 10 steps.

    Held set-points cover far more of the state space than white noise does.
    """
    low, high = spec.action_low, spec.action_high

    def actions() -> Iterator[Array]:
        while True:
            parts = rng.random(len(low))
            if rng.random() < EQUAL:
                parts[:] = parts[0]
            action = low + (high - low) * parts
            for _ in range(int(rng.integers(1, LONGEST_HOLD + 1))):
                yield action.copy()

    stream = actions()
    return lambda: next(stream)
