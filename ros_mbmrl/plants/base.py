"""Plant: what the loop can see of a robot, real or not."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Measurement:
    """What the sensors said at one instant.

    time: [s] on the plant's clock. values: (dm,) float64, in the order of
    `RobotSpec.measurement`. age: how old the oldest part of it is [s].
    """

    time: float
    values: NDArray[np.float64]
    age: float = 0.0


class Plant(Protocol):
    """A robot or its twin. On every way out of the context the robot is stopped."""

    def __enter__(self) -> Plant: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def observe(self) -> Measurement:
        """The newest measurement."""

    def command(self, action: NDArray[np.float64]) -> None:
        """Send an action (da,) within the robot's limits; it acts until the next one."""

    def advance(self, duration: float) -> None:
        """Let `duration` [s] pass: a twin steps its physics, a robot is waited for."""

    def stop(self) -> None:
        """Bring the robot to rest, now."""
