"""Causes of the hexapod: what can change about it, beside what its two motors give.

A motor's gain is the effectiveness of its command, to 2 % (the motor's law has a small offset,
`simulation/motor.py`). Deviations from robot to robot are those of `simulation.randomisation.MILD`.
"""

from __future__ import annotations

from ros_mbmrl.robots.quantities import Cause

LEGS = tuple(
    f"leg_{side}_{place}" for side in ("left", "right") for place in ("front", "middle", "back")
)
EFFECTIVENESS_SPREAD = 0.15

CAUSES = (
    # 1: the leg is there; 0: it is lost.
    *(Cause(leg, "1", 0.0, 1.0, 1.0, (0.0,), discrete=True) for leg in LEGS),
    Cause("payload", "kg", 0.0, 0.03, 0.0, (0.012,)),
    Cause("yaw_offset", "rad", -0.8, 0.8, 0.0, (-0.3, 0.3), spread=0.06),
    # Downhill, in the map.
    Cause("slope_x", "rad", -0.4, 0.4, 0.0, (-0.2, 0.2), vector="slope", spread=0.05),
    Cause("slope_y", "rad", -0.4, 0.4, 0.0, (-0.2, 0.2), vector="slope", spread=0.05),
    # The ground's pull to the left: 0.1 to 0.7 mN m on the terrains of the real logs.
    Cause("pull", "N m", -0.0015, 0.0015, 0.0004, (), spread=0.0003),
)


def mirrored_name(name: str) -> str:
    """Return the name of a quantity with left and right exchanged."""
    swapped = {"left": "right", "right": "left"}
    return "_".join(swapped.get(part, part) for part in name.split("_"))
