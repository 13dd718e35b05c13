"""Causes as the hexapod's twin knows them, and robots that are broken in every way at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ros_mbmrl.robots.hexapod_causes import CAUSES, LEGS
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.faults import Effect
from ros_mbmrl.simulation.randomisation import DEGREE, MILD, Physics, Range

HELD_OUT = "leg_left_middle"  # the leg that the experiments take: never lost in training


def effectiveness_of(physics: Physics, effect: Effect) -> Array:
    """Return the share of each motor's command that acts, (2,), left first."""
    gains = physics.left_gain * effect.left_motor, physics.right_gain * effect.right_motor
    return np.array(gains)


def causes_of(physics: Physics, effect: Effect, pull: float) -> Array:
    """Return the causes of the hexapod's specification (11,), in its order.

    Args:
        physics: of the robot.
        effect: of all its faults.
        pull: of the ground to the left [N m].
    """
    known = {
        **{leg: float(leg not in effect.missing_legs) for leg in LEGS},
        "payload": effect.payload,
        "yaw_offset": physics.yaw_offset + effect.yaw_offset,
        "slope_x": physics.slope_x,
        "slope_y": physics.slope_y - effect.slope,
        "pull": pull,
    }
    return np.array([known[cause.name] for cause in CAUSES])


@dataclass(frozen=True)
class Breaking:
    """Robots of `MILD` that are broken in several ways at once, each with its own chance.

    What varies together can be told apart afterwards. `HELD_OUT` is never lost.

    Args:
        leg, motor, payload, yaw_offset, slope: chances that a leg is lost, that a motor is weak,
            that there is a payload, that yaw offset and slope are drawn from the wide ranges below
            and not from those of `MILD`.
        shares: of a weak motor.
        masses: of a payload [kg].
        yaw_offsets, slopes: [rad].
    """

    leg: float = 0.5
    motor: float = 0.4
    payload: float = 0.4
    yaw_offset: float = 0.5
    slope: float = 0.5
    shares: Range = (0.3, 1.0)
    masses: Range = (0.0, 0.025)
    yaw_offsets: Range = (-40 * DEGREE, 40 * DEGREE)
    slopes: Range = (-20 * DEGREE, 20 * DEGREE)

    def sample(self, rng: np.random.Generator) -> Physics:
        """Draw one robot."""
        chances = self.leg, self.motor, self.payload, self.yaw_offset, self.slope
        leg, motor, payload, yaw_offset, slope = (rng.random(5) < chances).tolist()
        lost = str(rng.choice([name for name in LEGS if name != HELD_OUT]))
        share, mass = rng.uniform(*self.shares), rng.uniform(*self.masses)
        left = bool(rng.integers(2))
        effect = Effect(
            missing_legs=frozenset({lost} if leg else ()),
            payload=mass if payload else 0.0,
            left_motor=share if motor and left else 1.0,
            right_motor=share if motor and not left else 1.0,
        )
        drawn = replace(MILD.sample(rng), effect=effect)
        if yaw_offset:
            drawn = replace(drawn, yaw_offset=rng.uniform(*self.yaw_offsets))
        if slope:
            x, y = rng.uniform(*self.slopes, 2).tolist()
            drawn = replace(drawn, slope_x=x, slope_y=y)
        return drawn


BROKEN = Breaking()
