"""Random commands: what data are collected with before there is a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ros_mbmrl.agents.base import Action, Context
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


class RandomAgent:
    """Sends held random commands, for `steps` steps at most."""

    def __init__(self, steps: int) -> None:
        self._steps, self._next = steps, 0

    def begin(self, context: Context) -> None:
        """See `Agent.begin`."""
        spec = context.robot.spec
        rngs = [np.random.default_rng(seed) for seed in context.seeds]
        draws = [held_actions(spec, rng, self._steps, 1) for rng in rngs]
        self._actions, self._next = np.concatenate(draws, axis=1), 0

    def act(self, states: Array, time: float) -> Action:
        """See `Agent.act`."""
        self._next += 1
        return Action(self._actions[self._next - 1])

    def acted(self, commands: Array) -> None:
        """See `Agent.acted`: there is nothing to learn from it."""
