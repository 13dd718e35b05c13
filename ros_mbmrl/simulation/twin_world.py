"""Simulated time of a twin: ticks, faults that set in at their second, physics that break down."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from ros_mbmrl.simulation.divergence import diverged
from ros_mbmrl.simulation.schedule import Onset, present_at


class TwinWorld(ABC):
    """A robot with its physics, and faults that set in at their second.

    Everything random comes from the seed of `reset`; `time` counts from there [s]. kind: of its
    faults. ticks_per_second: the grid on which commands, noise and faults change.
    """

    kind: ClassVar[type[Onset]]
    ticks_per_second: ClassVar[int]
    data: Any
    diverged: bool
    _owed: float

    def __init__(self, faults: Sequence[Onset]) -> None:
        self._faults = tuple(faults)
        self._begin()

    @property
    def time(self) -> float:
        """Simulated time since the reset [s]."""
        return self._ticks / self.ticks_per_second

    def faults_from(self, second: float) -> None:
        """Count the schedule's seconds from this one [s]; infinity: no fault until told again."""
        self._faults_from = second
        self._switch_faults()

    def set_fault(self, name: str, present: bool) -> None:
        """Switch the fault called `name` by hand, from now on, whatever the schedule says."""
        self._switched[self.kind(name).name] = present
        self._switch_faults()

    def step(self, duration: float) -> None:
        """Let `duration` [s] pass, in ticks; what is less than a tick is owed to the next call.

        Nothing passes any more once the physics have broken down.
        """
        if self.diverged:
            return
        tick = 1 / self.ticks_per_second
        ticks = (self._owed + duration) / tick
        whole = math.floor(ticks + 1e-6)
        self._owed = max(0.0, (ticks - whole) * tick)
        for _ in range(whole):
            self._tick()
        self.diverged = diverged(self.data)

    @abstractmethod
    def _tick(self) -> None:
        """Step one tick."""

    @abstractmethod
    def _take_effect(self) -> None:
        """Change the robot by its `active_faults`."""

    def _begin(self) -> None:
        """Go back to time 0, without faults."""
        self._ticks, self._owed, self.diverged = 0, 0.0, False
        self._faults_from = 0.0
        self._switched: dict[str, bool] = {}
        self.active_faults: frozenset[str] = frozenset()

    def _switch_faults(self) -> None:
        if self._faults or self._switched:
            present = present_at(self.time - self._faults_from, self._faults, self._switched)
            if present != self.active_faults:
                self.active_faults = present
                self._take_effect()
