"""Rollout: states, actions and times of one run; marks show which transitions are not trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray


class Mark(IntFlag):
    """Reasons not to use a transition for training. Nothing is dropped: it is marked."""

    NONE = 0
    GAP = 1  # the time between its two states is far from the control period
    JUMP = 2  # the pose moved faster than the robot can
    WILD = 4  # telemetry outside of the sensor's range
    REPEAT = 8  # a source gave the same stamp twice
    COMMAND = 16  # unknown action: no command in time, or one that cannot have acted


@dataclass(frozen=True)
class Rollout:
    """One run.

    Args:
        robot: its name.
        states: (T+1, ds) float32, SI units, in the order of the robot's specification.
        actions: (T, da) float32; actions[t] acts from states[t] to states[t+1].
        times: (T+1,) float64 [s].
        marks: (T,) uint8 of `Mark`.
        tags: terrain, fault, session, and other words that distinguish runs.
        effectiveness: (T, da), the share of each action that its actuator gave; None: unknown, as
            on a real robot.
        causes: (T, k), what else has changed, in the order of the robot's specification; None:
            unknown.
    """

    robot: str
    states: NDArray[np.float32]
    actions: NDArray[np.float32]
    times: NDArray[np.float64]
    marks: NDArray[np.uint8]
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    effectiveness: NDArray[np.float32] | None = None
    causes: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        steps = len(self.actions)
        for name, array, expected in (
            ("states", self.states, steps + 1),
            ("times", self.times, steps + 1),
            ("marks", self.marks, steps),
        ):
            if len(array) != expected:
                raise ValueError(f"{name}: expected {expected} rows, got {len(array)}")
        if self.effectiveness is not None and self.effectiveness.shape != self.actions.shape:
            raise ValueError(
                f"effectiveness: expected {self.actions.shape}, got {self.effectiveness.shape}"
            )
        if self.causes is not None and (self.causes.ndim != 2 or len(self.causes) != steps):
            raise ValueError(f"causes: expected {steps} rows, got {self.causes.shape}")

    def __len__(self) -> int:
        """Return the number of transitions T."""
        return len(self.actions)
