"""Measurement: a robot's sensor readings at one instant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Measurement:
    """A robot's sensor readings at one instant.

    Args:
        time: on the plant's clock [s].
        values: (dm,) float64, in the order of `RobotSpec.measurement`.
        age: age of the oldest reading in it [s].
    """

    time: float
    values: NDArray[np.float64]
    age: float = 0.0
