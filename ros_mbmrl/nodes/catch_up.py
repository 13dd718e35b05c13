"""CatchUp: the rate limit of commands after the driver has stopped the plant by itself."""

from __future__ import annotations

import numpy as np

from ros_mbmrl.robots.spec import Array, RobotSpec


class CatchUp:
    """Rate limit that counts from the plant's own last command until it equals safety's.

    Safety counts its limit from the command that it sent last, and does not know of a stop by the
    driver: its next command may be several steps away from rest. A driver also begins at rest,
    whatever safety sent before. Commands that follow safety's exactly are never changed.
    """

    def __init__(self, spec: RobotSpec) -> None:
        self._step, self._rest = spec.action_step, spec.rest
        self._from: Array | None = spec.rest  # None: the plant has what safety sent last

    def stopped(self) -> None:
        """Count from rest: the driver has stopped the plant."""
        self._from = self._rest

    def next_period(self, given: Array) -> None:
        """Begin a period of the plant, whose last command is `given` (da,)."""
        if self._from is not None:
            self._from = given

    def limit(self, action: Array) -> Array:
        """Return what the plant may be given of a command (da,) of safety; the same array: all.

        However many commands come in a period, the plant gets no further than one step. Rest is
        always allowed at once.
        """
        if self._from is None:
            return action
        near: Array = np.clip(action, self._from - self._step, self._from + self._step)
        if (near == action).all() or (action == self._rest).all():
            self._from = None
            return action
        return near
