"""Faults: what can go wrong with the robot, from a chosen second on."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ros_mbmrl.robots.hexapod_causes import LEGS
from ros_mbmrl.simulation.schedule import Onset

# Neither trained on nor in a test table: what is chosen, is chosen on these.
VALIDATION_FAULTS = ("leg_right_front", "leg_left_back", "leg_right_middle", "weak_right")


@dataclass(frozen=True)
class Effect:
    """The effect of one or several faults.

    missing_legs: names of legs that are gone. payload: mass dragged behind on a rope [kg].
    slope: tilt of gravity [rad], downhill towards -y. yaw_offset: error of the measured yaw [rad].
    left_motor, right_motor: what is left of the motor's speed and torque, 1 is all.
    battery_drop: [V]. mocap_lost: no new pose. packet_loss: chance that a packet is lost.
    broken_physics: of the simulation itself.
    """

    missing_legs: frozenset[str] = frozenset()
    payload: float = 0.0
    slope: float = 0.0
    yaw_offset: float = 0.0
    left_motor: float = 1.0
    right_motor: float = 1.0
    battery_drop: float = 0.0
    mocap_lost: bool = False
    packet_loss: float = 0.0
    broken_physics: bool = False


WELL = Effect()
FAULTS: dict[str, Effect] = {
    "none": WELL,
    **{leg: Effect(missing_legs=frozenset({leg})) for leg in LEGS},
    "payload": Effect(payload=0.015),
    "slope": Effect(slope=math.radians(15)),
    "yaw_offset": Effect(yaw_offset=math.radians(25)),
    "weak_left": Effect(left_motor=0.6),
    "weak_right": Effect(right_motor=0.6),
    "low_battery": Effect(battery_drop=0.5),
    "lost_mocap": Effect(mocap_lost=True),
    "lost_packets": Effect(packet_loss=0.4),
    "broken_physics": Effect(broken_physics=True),
    # Milder, and the other way round: to choose settings on without looking at the ones above.
    "payload_small": Effect(payload=0.008),
    "slope_small": Effect(slope=math.radians(-10)),
    "yaw_offset_small": Effect(yaw_offset=math.radians(-15)),
}


def combine(effects: Iterable[Effect]) -> Effect:
    """Join effects: legs are united, offsets add up, what is left of a motor multiplies."""
    several = tuple(effects)
    return Effect(
        missing_legs=frozenset().union(*(e.missing_legs for e in several)),
        payload=sum(e.payload for e in several),
        slope=sum(e.slope for e in several),
        yaw_offset=sum(e.yaw_offset for e in several),
        left_motor=math.prod(e.left_motor for e in several),
        right_motor=math.prod(e.right_motor for e in several),
        battery_drop=sum(e.battery_drop for e in several),
        mocap_lost=any(e.mocap_lost for e in several),
        packet_loss=1 - math.prod(1 - e.packet_loss for e in several),
        broken_physics=any(e.broken_physics for e in several),
    )


@dataclass(frozen=True)
class Fault(Onset):
    """A fault of the hexapod."""

    known: ClassVar = FAULTS

    @property
    def effect(self) -> Effect:
        """The effect that it has once it is present."""
        return FAULTS[self.name]


NO_FAULT = Fault("none")
