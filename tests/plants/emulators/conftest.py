"""A robot of seven wheels, in the place of the PR2's arm."""

from __future__ import annotations

import numpy as np
import pytest


class Wheels:
    """Seven of them, 1 kg m^2 each: 1 N m for 1 s makes 1 rad/s."""

    def __init__(self) -> None:
        self.torques, self.speeds, self.turned = np.zeros(7), np.zeros(7), np.zeros(7)

    def set_command(self, torques: np.ndarray) -> None:
        self.torques = np.array(torques)

    def step(self, duration: float) -> None:
        self.speeds = self.speeds + self.torques * duration
        self.turned = self.turned + self.speeds * duration

    def position(self) -> np.ndarray:
        return self.turned

    def velocity(self) -> np.ndarray:
        return self.speeds


@pytest.fixture(scope="session")
def wheels() -> type[Wheels]:
    """`Wheels`."""
    return Wheels
