"""LiveWindow: the newest T1 transitions, ending at the newest complete one."""

from __future__ import annotations

from collections import deque

import numpy as np
import torch
from torch import Tensor

from ros_mbmrl.adaptation.base import Window
from ros_mbmrl.robots.delay import LONGEST, NO_DELAY, Delay
from ros_mbmrl.robots.spec import Array, Robot


class LiveWindow:
    """States and commands joined into transitions; a gap empties the window."""

    def __init__(self, robot: Robot, size: int) -> None:
        if size < 1:
            raise ValueError(f"size: expected at least 1, got {size}")
        self._robot = robot
        self._rows: deque[tuple[Tensor, Tensor, Tensor]] = deque(maxlen=size)
        self._state: Tensor | None = None
        self._stamp = 0.0
        self._action: Tensor | None = None  # mean command of the current interval
        self._sent: deque[Tensor] = deque(maxlen=LONGEST + 2)

    def reset(self) -> None:
        """Forget all rows and commands."""
        self._rows.clear()
        self._sent.clear()
        self._state = self._action = None

    def observe(self, state: Array, stamp: float) -> None:
        """Add a state (ds,) at `stamp` [s]; completes the transition of the period before."""
        now = torch.tensor(state, dtype=torch.float32)  # a copy: the caller may reuse its array
        gap = stamp - self._stamp
        if self._state is not None and not 0.5 <= gap / self._robot.spec.period <= 1.5:
            self.reset()
        if not np.isfinite(state).all():
            self.reset()
            return
        if self._state is not None and self._action is not None:
            features = self._robot.features(self._state)
            change = self._robot.difference(self._state, now)
            self._rows.append((features, self._action, change))
        self._state, self._stamp, self._action = now, stamp, None

    def commanded(self, action: Array, stamp: float, delay: Delay = NO_DELAY) -> None:
        """Add the command (da,) that answers the state at `stamp`; another stamp's is ignored.

        delay: of the command. A transition gets the mean command that acted in its interval.
        """
        if self._state is not None and stamp == self._stamp:
            self._sent.append(torch.tensor(action, dtype=torch.float32))
            self._action = delay.acting(self._sent)

    def transitions(self) -> Window:
        """Return all transitions, oldest first."""
        spec = self._robot.spec
        if not self._rows:
            widths = (len(spec.features), len(spec.action), len(spec.changes))
            return Window(*(torch.zeros(0, width) for width in widths))
        features, actions, changes = zip(*self._rows, strict=True)
        return Window(torch.stack(features), torch.stack(actions), torch.stack(changes))
