"""Pendulum, cart-pole and acrobot as environments: one table of data.

A task of the last two is a pair of masses (`Situation.masses`), which nobody is told: Wang and van
Hoof, "Model-based Meta Reinforcement Learning using Graph Structured Surrogate Models", 5.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.robots import acrobot, cart_pole, pendulum
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.simulation.analytic import AnalyticRobots
from ros_mbmrl.simulation.environment import Flags
from ros_mbmrl.simulation.situations import Situation

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Mechanism:
    """A row of the table.

    Args:
        robot: makes the robot.
        physics: next states (N, ds) of states (N, ds) under commands (N, da) with masses (N, m);
            a function of torch, differentiable.
        start: draws the state (ds,) that an episode begins with.
        horizon: control periods of an episode.
        masses: range of each mass that differs from task to task [kg]; none: all tasks are alike.
        ended: tells in which states (N, ds) an episode terminates (N,); None: in none.
    """

    robot: Callable[[], Robot]
    physics: Callable[[Tensor, Tensor, Tensor], Tensor]
    start: Callable[[np.random.Generator], Array]
    horizon: int
    masses: tuple[tuple[float, float], ...] = ()
    ended: Callable[[Tensor], Tensor] | None = None

    @property
    def nominal(self) -> tuple[float, ...]:
        """Return the masses in the middle of their ranges [kg]."""
        return tuple((low + high) / 2 for low, high in self.masses)

    def draw(self, rng: np.random.Generator) -> Situation:
        """Draw a task: masses, each uniform in its range."""
        return Situation(masses=tuple(float(rng.uniform(*each)) for each in self.masses))


def _around(*deviations: float) -> Callable[[np.random.Generator], Array]:
    """Return what draws numbers uniformly from minus to plus the given ones."""
    return lambda rng: rng.uniform(-1.0, 1.0, len(deviations)) * deviations


MECHANISMS: Mapping[str, Mechanism] = MappingProxyType(
    {
        pendulum.PENDULUM: Mechanism(
            pendulum.Pendulum,
            physics=lambda states, torques, masses: pendulum.physics(states, torques),
            start=_around(math.pi, 1.0),
            horizon=200,
        ),
        cart_pole.CART_POLE: Mechanism(
            cart_pole.CartPole,
            cart_pole.physics,
            start=lambda rng: rng.normal(0.0, 0.02, 4),  # as in `cart_pole`'s reference
            horizon=25,
            masses=((1.0, 2.0), (0.7, 1.0)),
        ),
        acrobot.ACROBOT: Mechanism(
            acrobot.Acrobot,
            acrobot.physics,
            start=_around(*[0.1] * 4),  # gymnasium's
            horizon=200,
            masses=((0.8, 1.2), (0.8, 1.2)),
            ended=acrobot.above,
        ),
    }
)


class Mechanisms(AnalyticRobots):
    """N robots of one row of the table. Made by `make_mechanisms`."""

    def __init__(self, name: str, situations: Sequence[Situation], seeds: Sequence[int]) -> None:
        choose("mechanism", name, MECHANISMS)
        self._row = MECHANISMS[name]
        self._masses = np.zeros((len(situations), len(self._row.masses)))
        super().__init__(self._row.robot(), self._row.horizon, situations, seeds)

    def _begin(self, row: int, situation: Situation, rng: np.random.Generator) -> Array:
        """See `AnalyticRobots._begin`; a situation without masses has the nominal ones."""
        masses = situation.masses or self._row.nominal
        if len(masses) != len(self._row.masses):
            name, expected = self.robot.spec.name, len(self._row.masses)
            raise UserError(f"masses: robot '{name}': expected {expected}, got {len(masses)}")
        self._masses[row] = masses
        return self._row.start(rng)

    def _moved(self, states: Array, commands: Array) -> Array:
        """See `AnalyticRobots._moved`."""
        import torch

        given = (torch.as_tensor(each) for each in (states, commands, self._masses))
        return self._row.physics(*given).numpy()

    def _ended(self, states: Array) -> Flags:
        """See `AnalyticRobots._ended`."""
        if self._row.ended is None:
            return super()._ended(states)
        import torch

        return self._row.ended(torch.as_tensor(states)).numpy()


def make_mechanisms(name: str, situations: Sequence[Situation], seeds: Sequence[int]) -> Mechanisms:
    """Make robots of a row of `MECHANISMS`, one for each situation and seed.

    Raises:
        UserError: there is no such row, or its robot has other masses than a situation says.
    """
    return Mechanisms(name, situations, seeds)
