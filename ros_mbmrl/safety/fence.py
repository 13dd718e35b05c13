"""The arena's fence: how far from its edge a robot is, and whether it heads outwards."""

from __future__ import annotations

import math

from ros_mbmrl.robots.spec import Envelope


def inside(envelope: Envelope, x: float, y: float) -> float:
    """Distance [m] to the nearest edge of the arena; negative beyond it."""
    return min(_distances(envelope, x, y))


def heads_out(envelope: Envelope, x: float, y: float, yaw: float) -> bool:
    """Whether the nose points out through an edge that is nearer than the margin."""
    outwards = (-math.cos(yaw), math.cos(yaw), -math.sin(yaw), math.sin(yaw))
    distances = _distances(envelope, x, y)
    return any(
        distance < envelope.margin and outward > 0
        for distance, outward in zip(distances, outwards, strict=True)
    )


def centre(envelope: Envelope) -> tuple[float, float]:
    """The arena's centre (x, y) [m]: where a return leads."""
    x_low, x_high, y_low, y_high = envelope.arena
    return (x_low + x_high) / 2, (y_low + y_high) / 2


def well_inside(envelope: Envelope, hysteresis: float) -> float:
    """Distance [m] from the edge at which a return ends.

    `hysteresis` margins further in than the fence, but reachable in a narrow arena too: at most
    half way from the fence to the centre.
    """
    room = inside(envelope, *centre(envelope)) - envelope.margin
    return envelope.margin + min(hysteresis * envelope.margin, room / 2)


def _distances(envelope: Envelope, x: float, y: float) -> tuple[float, float, float, float]:
    x_low, x_high, y_low, y_high = envelope.arena
    return x - x_low, x_high - x, y - y_low, y_high - y
