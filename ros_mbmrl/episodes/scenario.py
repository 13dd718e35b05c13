"""Scenarios of the hexapod's episodes, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

from ros_mbmrl.simulation.faults import Fault
from ros_mbmrl.simulation.randomisation import NOMINAL, Physics


@dataclass(frozen=True)
class Scenario:
    """One episode: where, what breaks, which path, for how long [s]."""

    path: str = "figure8"
    terrain: str = "carpet"
    fault: Fault = field(default_factory=lambda: Fault("none"))
    physics: Physics = NOMINAL
    duration: float = 20.0
    seed: int = 0
