"""Task: what the robot should do, as a cost on imagined states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor


class Task(Protocol):
    """A cost that a planner can be given; progress along the task is its only memory.

    One with an attribute `batched = True` also costs states (N, K, H+1, ds), actions (N, K, H, da)
    of N robots at once, (N, K), by N references (N, ...); whatever differs between tasks of that
    kind is in the reference.
    """

    def reference(self, state: NDArray[np.float64]) -> Tensor:
        """What the cost needs at this step (for a path: the stretch ahead). Advances progress."""

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        """Costs (K,) of states (K, H+1, ds) reached by actions (K, H, da).

        `Run` and `Reach` take leading dimensions too: of states, actions, reference and costs.
        """


@runtime_checkable
class Finishing(Protocol):
    """A task that can be done with: the robot rests from then on.

    finished: whether it is done, by the states that `reference` was given; it stays so.
    """

    @property
    def finished(self) -> bool:
        """Return whether the task is done."""


@runtime_checkable
class Measured(Protocol):
    """A task with figures of its own, in units that people know."""

    def measured(
        self, states: NDArray[np.float64]
    ) -> Mapping[tuple[str, str], NDArray[np.float64]]:
        """Return figures of each step (T,) of states (T+1, ds), by name and unit in a key."""
