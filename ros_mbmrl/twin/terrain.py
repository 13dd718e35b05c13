"""Terrains: what the ground does to the robot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.errors import choose


@dataclass(frozen=True)
class Terrain:
    """One kind of ground.

    friction: Coulomb coefficient under the legs; the hull has half of it.
    drag: what the ground takes out of a forward or sideways motion [N s/m]; it stands for the
    losses (slip at touch-down, sinking in) that make a fast stride shorter on the real robot.
    stiffness: time constant of the contact [s]; larger is softer.
    roughness: height of the bumps [m]; 0 is a plane. grain: their size across [m].
    shake: standard deviation of the random torque on the body [N m], new every 10 ms.
    pull: constant yaw torque while the legs turn [N m]: the bias of the real runs.
    """

    name: str
    friction: float = 0.6
    drag: float = 0.35
    stiffness: float = 0.006
    roughness: float = 0.0
    grain: float = 0.04
    shake: float = 0.0
    pull: float = 0.0

    def __post_init__(self) -> None:
        for field in ("friction", "stiffness", "grain"):
            if not getattr(self, field) > 0:
                raise ValueError(f"{field}: expected above 0, got {getattr(self, field)}")
        for field in ("drag", "roughness", "shake"):
            if not getattr(self, field) >= 0:
                raise ValueError(f"{field}: expected 0 or more, got {getattr(self, field)}")

    def heights(self, rows: int, cell: float, rng: np.random.Generator) -> NDArray[np.float64]:
        """Bumps (rows, rows) between 0 and 1, smooth over `grain`; `cell` is the spacing [m]."""
        noise = rng.standard_normal((rows, rows))
        frequency = np.fft.fftfreq(rows, cell)
        squared = frequency[:, None] ** 2 + frequency[None, :] ** 2
        low_pass = np.exp(-0.5 * squared * (np.pi * self.grain / 2) ** 2)
        smooth = np.fft.ifft2(np.fft.fft2(noise) * low_pass).real
        smooth = 0.5 + smooth / (6 * smooth.std())  # three standard deviations reach 0 and 1
        return np.asarray(np.clip(smooth, 0.0, 1.0))


TERRAINS: dict[str, Terrain] = {
    terrain.name: terrain
    for terrain in (
        Terrain("plain"),
        Terrain("carpet", friction=0.6, drag=0.30, shake=4e-4, pull=4e-4),
        Terrain("styrofoam", friction=0.5, drag=0.38, stiffness=0.010, shake=4e-4, pull=5e-4),
        Terrain(
            "turf", friction=0.7, drag=0.45, stiffness=0.012, roughness=0.004, shake=2e-4, pull=1e-4
        ),
        Terrain(
            "gravel", friction=0.5, drag=0.42, roughness=0.006, grain=0.02, shake=2e-4, pull=3e-4
        ),
    )
}


def make_terrain(name: str) -> Terrain:
    """The terrain called `name`. Raises UserError for an unknown name."""
    choose("terrain", name, TERRAINS)
    return TERRAINS[name]
