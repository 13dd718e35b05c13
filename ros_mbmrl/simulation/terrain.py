"""Terrains: what the ground does to the robot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.simulation.randomisation import check_signs


@dataclass(frozen=True)
class Terrain:
    """One kind of ground. The real ones are fitted to logs (`mbmrl calibrate`): sim/hexapod.yaml.

    friction: Coulomb coefficient under the legs; the hull has half of it.
    drag: what the ground takes out of a forward or sideways motion [N s/m]; it stands for the
    losses (slip at touch-down, sinking in) that make a fast stride shorter on the real robot.
    yaw_drag: the same of a turn [N m s/rad]. leg_drag: of a leg's [N m s/rad].
    stiffness: time constant of the contact [s]; larger is softer.
    roughness: height of the bumps [m]; 0 is a plane. grain: their size across [m].
    shake_roll, shake_pitch, shake_yaw: standard deviations of the random torque on the walking
    body [N m], new every 10 ms. shake_push: of the random force forward and sideways [N].
    pull: constant yaw torque while the legs turn [N m]: the bias of the real runs.
    """

    name: str
    friction: float = 0.6
    drag: float = 0.35
    yaw_drag: float = 0.0011
    leg_drag: float = 1e-6
    stiffness: float = 0.006
    roughness: float = 0.0
    grain: float = 0.04
    shake_roll: float = 0.0
    shake_pitch: float = 0.0
    shake_yaw: float = 0.0
    shake_push: float = 0.0
    pull: float = 0.0

    def __post_init__(self) -> None:
        shakes = ("shake_roll", "shake_pitch", "shake_yaw", "shake_push")
        least = ("drag", "yaw_drag", "leg_drag", "roughness", *shakes)
        check_signs(self, ("friction", "stiffness", "grain"), least)

    def heights(self, rows: int, cell: float, rng: np.random.Generator) -> NDArray[np.float64]:
        """Bumps (rows, rows) between 0 and 1, smooth over `grain`; `cell` is the spacing [m]."""
        noise = rng.standard_normal((rows, rows))
        frequency = np.fft.fftfreq(rows, cell)
        squared = frequency[:, None] ** 2 + frequency[None, :] ** 2
        low_pass = np.exp(-0.5 * squared * (np.pi * self.grain / 2) ** 2)
        smooth = np.fft.ifft2(np.fft.fft2(noise) * low_pass).real
        smooth = 0.5 + smooth / (6 * smooth.std())  # three standard deviations reach 0 and 1
        return np.asarray(np.clip(smooth, 0.0, 1.0))


PLAIN = Terrain("plain")  # none of the real ones: fast to simulate
NAMES = ("plain", "carpet", "styrofoam", "turf", "gravel")
