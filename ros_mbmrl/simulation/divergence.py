"""Physics that break down: MuJoCo starts anew from its default pose, and only a counter tells."""

from __future__ import annotations

from typing import Any

from ros_mbmrl.simulation.engine import mujoco

BAD = (
    mujoco.mjtWarning.mjWARN_BADQPOS,
    mujoco.mjtWarning.mjWARN_BADQVEL,
    mujoco.mjtWarning.mjWARN_BADQACC,
)


def diverged(data: Any) -> bool:
    """Return whether the physics of an `MjData` have broken down since its reset."""
    return any(data.warning[kind].number for kind in BAD)
