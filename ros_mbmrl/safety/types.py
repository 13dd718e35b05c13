"""Inputs and answers of the safety monitor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Level(IntEnum):
    """The worst level wins. RETURN and above override the proposed command."""

    RUN = 0
    LIMITED = 1  # the command was clipped to its range, rate or reduced power
    RETURN = 2  # the fence turns the robot back
    HOLD = 3  # nothing to go by at the moment: stand still, go on at once when it is back
    STOP = 4  # not trusted: stand still, go on once the cause has been away for a while
    LATCHED = 5  # stand still until reset


@dataclass(frozen=True)
class Health:
    """Facts that the monitor cannot see in the state itself.

    state_age, command_age: [s] since the newest state was measured, command proposed; `inf`
    if there never was one. model_error: recent normalised prediction error, 0 if unknown.
    planner_failed: the planner found no finite plan. stop_requested: somebody asked for a stop.
    plant_fault: what the driver says is wrong with the robot, empty if nothing is. peers: what is
    wrong with who publishes, as "command/proposed has 2 publishers", empty if nothing is.
    heard: (da,), the command that the driver had heard before the newest state came; None if that
    is unknown: then it has heard what was sent.
    """

    state_age: float = 0.0
    command_age: float = 0.0
    model_error: float = 0.0
    planner_failed: bool = False
    stop_requested: bool = False
    plant_fault: str = ""
    peers: str = ""
    heard: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Checked:
    """action: (da,), finite, within range and rate. reasons: one line each, worst first."""

    action: NDArray[np.float64]
    level: Level
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class SafetyConfig:
    """Thresholds that are the monitor's own; a robot's are in its `Envelope`.

    limited_range: part of the action range that is left while LIMITED, 0 to 1.
    fence_hysteresis: margins further in than the fence where a return ends.
    late_after: part of the time-out after which a state is late: the robot stands until the next.
    lost_after: time-outs after which a stale state counts as lost.
    battery_recovery: [V] above `battery_low` where the limit ends: voltage rises as load falls.
    model_recovery: part of `max_model_error` below which the limit ends, 0 to 1.
    start_updates: good states in a row before the first command is let through.
    frozen_updates: updates in which a sensor says the same to the bit before it counts as frozen.
    jumps: how many within a second latch a stop.
    """

    limited_range: float = 0.6
    fence_hysteresis: float = 0.5
    late_after: float = 0.77
    lost_after: float = 4.0
    battery_recovery: float = 0.1
    model_recovery: float = 0.8
    start_updates: int = 3
    frozen_updates: int = 2
    jumps: int = 3

    def __post_init__(self) -> None:
        for name, low, high in (
            ("limited_range", 0.0, 1.0),
            ("fence_hysteresis", 0.0, 10.0),
            ("late_after", 0.0, 1.0),
            ("lost_after", 1.0, 100.0),
            ("battery_recovery", 0.0, 100.0),
            ("model_recovery", 0.0, 1.0),
            ("start_updates", 1, 1000),
            ("frozen_updates", 1, 1000),
            ("jumps", 2, 1000),
        ):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and low <= value <= high):
                raise ValueError(f"{name}: expected {low} to {high}, got {value!r}")
