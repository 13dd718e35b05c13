"""Measurement: what a robot's sensors say at one instant."""

from __future__ import annotations

from dataclasses import dataclass

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
