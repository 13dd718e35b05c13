"""Task: what the robot should do, as a cost on imagined states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor


class Task(Protocol):
    """A cost that a planner can be given; its only memory is the progress along the task.

    A task with an attribute `batched = True` also costs N robots at once: states (N, K, H+1, ds)
    and actions (N, K, H, da) give costs (N, K), with N references (N, ...). All differences between
    such tasks are in the reference.
    """

    def reference(self, state: NDArray[np.float64]) -> Tensor:
        """Return what the cost needs now (of a path: the stretch ahead). Advances progress."""

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        """Return costs (K,) of states (K, H+1, ds) reached by actions (K, H, da).

        `Run` and `Reach` allow leading dimensions of states, actions, reference and costs.
        """


@runtime_checkable
class Finishing(Protocol):
    """A task that has an end, after which the robot rests.

    `finished` follows from the states that `reference` was given, and stays true.
    """

    @property
    def finished(self) -> bool:
        """Return whether the task is done."""


@runtime_checkable
class Measured(Protocol):
    """A task that reports figures of its own, in physical units."""

    def measured(
        self, states: NDArray[np.float64]
    ) -> Mapping[tuple[str, str], NDArray[np.float64]]:
        """Return figures of each step (T,) of states (T+1, ds), by name and unit in a key."""
