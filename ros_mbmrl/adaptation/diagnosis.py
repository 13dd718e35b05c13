"""Diagnosis: the cause that is told to others. It follows the posterior with a hysteresis.

The model acts under the most probable hypothesis at once: a wrong one costs a poor plan for a step.
What an operator reads must not flicker: a cause is told when its probability has been high for a
while, and stays told until another one has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

Beliefs = Mapping[str, float]  # probability of each cause by its name; the first: all is well


class Diagnosis(NamedTuple):
    """A physical cause by its name, its probability now, and since when it has been there [s]."""

    cause: str
    probability: float
    since: float


@dataclass(frozen=True)
class Hysteresis:
    """Settings that decide when a cause is told.

    Args:
        threshold: probability that it must reach.
        hold: how long it must stay there [s]; two steps at least.
    """

    threshold: float = 0.99
    hold: float = 0.2

    def __post_init__(self) -> None:
        if not 0.5 < self.threshold < 1:
            raise ValueError(f"threshold: expected above .5 and below 1, got {self.threshold}")
        if not 0 <= self.hold < math.inf:
            raise ValueError(f"hold: expected 0 s or more, got {self.hold}")


class Teller:
    """Tells the cause of one robot.

    Args:
        hysteresis: when a cause is told.
    """

    def __init__(self, hysteresis: Hysteresis | None = None) -> None:
        self._hysteresis = hysteresis or Hysteresis()
        self.reset()

    def reset(self) -> None:
        """Begin a run: all is well until something else is told."""
        self._told: tuple[str, float] | None = None  # the cause, since when
        self._candidate: tuple[str, float] | None = None  # likewise, of what may be told next

    def update(self, beliefs: Beliefs, time: float) -> Diagnosis:
        """Return the diagnosis at `time` [s], not before the last one's."""
        if self._told is None:
            self._told = next(iter(beliefs)), time
        best = max(beliefs, key=lambda name: beliefs[name])
        if beliefs[best] < self._hysteresis.threshold:
            self._candidate = None
        elif self._candidate is None or self._candidate[0] != best:
            self._candidate = best, time
        elif best != self._told[0] and time - self._candidate[1] >= self._hysteresis.hold - 1e-6:
            self._told = self._candidate
        cause, since = self._told
        return Diagnosis(cause, beliefs[cause], since)
