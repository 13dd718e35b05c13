"""BatchWindow: the live windows of N robots with one common clock."""

from __future__ import annotations

from collections import deque

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ros_mbmrl.robots.delay import LONGEST, NO_DELAY, Delay
from ros_mbmrl.robots.spec import Array, Robot


class BatchWindow:
    """`LiveWindow` for N robots that are measured at the same time.

    All robots have rows of the same number, newest last; a row that a robot does not have gets
    weight 0. As long as all robots have the same number of transitions, as at the start of a run,
    there are no such rows. A gap restarts a window as in `LiveWindow`.
    """

    def __init__(self, robot: Robot, size: int, robots: int, device: torch.device) -> None:
        if size < 1 or robots < 1:
            raise ValueError(f"size, robots: expected at least 1, got {size} and {robots}")
        spec = robot.spec
        self._robot, self._size, self._device = robot, size, device
        widths = (len(spec.features), len(spec.action), len(spec.changes))
        self._rows = [torch.zeros(robots, 0, width, device=device) for width in widths]
        self._length: NDArray[np.int64] = np.zeros(robots, dtype=np.int64)
        self._known: NDArray[np.bool_] = np.zeros(robots, dtype=bool)
        self._states: Tensor | None = None
        self._actions: Tensor | None = None  # means of the intervals that have begun
        self._sent: deque[Tensor] = deque(maxlen=LONGEST + 2)
        self._fresh: NDArray[np.bool_] = np.ones(robots, dtype=bool)  # whose commands start anew
        self._stamp = 0.0

    def observe(self, states: Array, stamp: float) -> None:
        """Add states (N, ds) at `stamp` [s]; completes the transitions begun one period before."""
        now = torch.tensor(states, dtype=torch.float32, device=self._device)
        finite = np.asarray(np.isfinite(states).all(axis=1))
        even = 0.5 <= (stamp - self._stamp) / self._robot.spec.period <= 1.5
        if even and self._states is not None and self._actions is not None:
            self._append(self._states, self._actions, now)
            self._length = np.minimum(self._length + self._known, self._size)
        self._length = np.where(finite & even, self._length, 0)
        self._fresh |= ~(finite & even)
        self._states, self._actions, self._stamp, self._known = now, None, stamp, finite

    def commanded(self, actions: Array, delay: Delay = NO_DELAY) -> None:
        """Add the commands (N, da) that answer the newest states; see `LiveWindow`."""
        sent = torch.tensor(actions, dtype=torch.float32, device=self._device)
        if self._fresh.any():  # before a robot's first command there was only the like of it
            fresh = torch.as_tensor(self._fresh, device=self._device)[:, None]
            older = [torch.where(fresh, sent, each) for each in self._sent]
            self._sent = deque(older, maxlen=self._sent.maxlen)
        self._sent.append(sent)
        self._fresh = ~self._known  # what answers a state that is none does not count
        self._actions = delay.acting(self._sent)

    def _append(self, states: Tensor, actions: Tensor, now: Tensor) -> None:
        features, changes = self._robot.features(states), self._robot.difference(states, now)
        new = (features, actions, changes)
        self._rows = [
            torch.cat([rows[:, max(0, rows.shape[1] + 1 - self._size) :], row[:, None]], dim=1)
            for rows, row in zip(self._rows, new, strict=True)
        ]

    @property
    def longest(self) -> int:
        """Return the number of transitions of the robot that has most."""
        return int(self._length.max())

    def transitions(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return features, actions, changes (N, T, ...), weights (N, T, 1), oldest first.

        T is `longest`. Weight 0: the robot does not have this row.
        """
        longest = self.longest
        first = self._rows[0].shape[1] - longest
        features, actions, changes = (rows[:, first:] for rows in self._rows)
        own = np.arange(longest, 0, -1) <= self._length[:, None]
        weight = torch.as_tensor(own, dtype=torch.float32, device=self._device)
        return features, actions, changes, weight[..., None]
