"""Errors of simulated robots' sensors: noise by each robot's own seed, and what faults add."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.simulated.base import Simulation

STREAM = 1  # of a robot's random numbers: its start has the seed itself


class Senses:
    """The errors of N robots, drawn anew when a robot's clock has gone on.

    Args:
        simulation: of their kind.
        count: N.
        noise: factor on its standard deviations.

    Attributes:
        offsets: (N, de), what faults add.
    """

    def __init__(self, simulation: Simulation, count: int, noise: float) -> None:
        self._deviations = noise * simulation.deviations
        self.offsets: Array = np.zeros((count, len(self._deviations)))
        self._noise = np.zeros_like(self.offsets)
        self._drawn_at = np.full(count, -1)
        self._rngs = [np.random.default_rng(0) for _ in range(count)]

    def reset(self, rows: NDArray[np.intp], seeds: Sequence[int]) -> None:
        """Begin anew in some rows (n,), with seeds (n,)."""
        for row, seed in zip(rows.tolist(), seeds, strict=True):
            self._rngs[row] = np.random.default_rng([seed, STREAM])
        self.offsets[rows], self._drawn_at[rows] = 0.0, -1

    def errors(self, ticks: NDArray[np.int_]) -> Array:
        """Return the errors (N, de) at the robots' own times (N,), in steps of physics."""
        if self._deviations.any():
            for row in np.flatnonzero(self._drawn_at != ticks).tolist():
                drawn = self._rngs[row].standard_normal(len(self._deviations))
                self._noise[row] = self._deviations * drawn
            self._drawn_at = np.array(ticks)
        return self.offsets + self._noise
