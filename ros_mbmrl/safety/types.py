"""What the safety monitor is told, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Level(IntEnum):
    """The worst level wins. RETREAT and above override the proposed command."""

    RUN = 0
    LIMITED = 1  # the command was clipped to its range, rate or reduced power
    RETREAT = 2  # the fence turns the robot back
    HOLD = 3  # no trusted input at the moment: stand still, go on when it is back
    STOP = 4  # latched: stand still until reset


@dataclass(frozen=True)
class Health:
    """What the monitor cannot see in the state itself.

    state_age, command_age: [s] since the newest state was measured, command proposed; `inf`
    if there never was one. model_error: recent normalised prediction error, 0 if unknown.
    planner_failed: the planner found no finite plan. stop_requested: somebody asked for a stop.
    """

    state_age: float = 0.0
    command_age: float = 0.0
    model_error: float = 0.0
    planner_failed: bool = False
    stop_requested: bool = False


@dataclass(frozen=True)
class Checked:
    """action: (da,), finite, within range and rate. reasons: one line each, worst first."""

    action: NDArray[np.float64]
    level: Level
    reasons: tuple[str, ...]
