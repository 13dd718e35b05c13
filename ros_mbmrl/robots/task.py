"""Task: what the robot should do, as a cost on imagined states."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor, device

# cost(states (N, K, H+1, ds), actions (N, K, H, da)) -> costs (N, K)
CostEach = Callable[["Tensor", "Tensor"], "Tensor"]


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


def cost_each(tasks: Sequence[Task], now: NDArray[np.float64], place: device) -> CostEach:
    """Return the cost of plans from the states `now` (N, ds), each by its own robot's task.

    Tasks make progress. One call costs all robots if the tasks are of a kind that allows it.
    """
    import torch

    references = [task.reference(state) for task, state in zip(tasks, now, strict=True)]
    reference = torch.stack(references).to(place)

    def cost(states: Tensor, actions: Tensor) -> Tensor:
        if all(getattr(task, "batched", False) for task in tasks):
            return tasks[0].cost(states, actions, reference)
        each = zip(tasks, states, actions, reference, strict=True)
        return torch.stack([task.cost(*own) for task, *own in each])

    return cost


def rewards_each(
    tasks: Sequence[Task],
    before: NDArray[np.float64],
    actions: NDArray[np.float64],
    after: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return each robot's reward for one control period (N,): the negative cost by its task.

    Args:
        tasks: of the robots; they make progress.
        before, after: states (N, ds) at the period's beginning and end.
        actions: commands (N, da) in between.
    """
    import torch

    cost = cost_each(tasks, before, torch.device("cpu"))
    states = torch.as_tensor(np.stack([before, after], axis=1), dtype=torch.float32)
    commands = torch.as_tensor(actions, dtype=torch.float32)
    return -cost(states[:, None], commands[:, None, None])[:, 0].numpy().astype(np.float64)
