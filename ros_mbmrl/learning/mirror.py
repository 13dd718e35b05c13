"""Mirror: a rollout of the hexapod as a mirror in its plane of symmetry shows it.

Left and right are exchanged, and the legs are half a turn out of phase: the left legs' angle is 0
where the right legs' is half a turn. So a robot that lost a right leg tells what a left one does.
Only the ground's pull differs, and that is a cause that the rollout tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.hexapod_causes import mirrored_name

_SIDEWAYS = ("y", "vy", "sin_roll", "sin_yaw", "gyro_x", "gyro_z", "yaw_offset", "slope_y", "pull")
_PHASES = ("cos_left_leg", "sin_left_leg", "cos_right_leg", "sin_right_leg")
NEGATED = frozenset((*_SIDEWAYS, *_PHASES))


def mirrored(rollout: Rollout) -> Rollout:
    """Return the rollout of the mirrored robot, with the tag `mirrored`."""
    spec = make_robot(rollout.robot).spec
    states, actions = ([q.name for q in each] for each in (spec.state, spec.action))
    effectiveness, causes = rollout.effectiveness, rollout.causes
    if effectiveness is not None:
        effectiveness = _exchanged(effectiveness, actions)
    if causes is not None:
        causes = _exchanged(causes, [cause.name for cause in spec.causes])
    return replace(
        rollout,
        states=_exchanged(rollout.states, states),
        actions=_exchanged(rollout.actions, actions),
        tags={**rollout.tags, "mirrored": "yes"},
        effectiveness=effectiveness,
        causes=causes,
    )


def _exchanged(rows: NDArray[np.float32], names: Sequence[str]) -> NDArray[np.float32]:
    """Return rows (T, n) of named numbers with left and right exchanged."""
    order = [names.index(mirrored_name(name)) for name in names]
    signs = np.array([-1 if name in NEGATED else 1 for name in names], dtype=np.float32)
    return rows[:, order] * signs
