"""Task: what the robot should do, as a cost on imagined states."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor, device

# cost(states (N, K, H+1, ds), actions (N, K, H, da)) -> costs (N, K)
CostEach = Callable[["Tensor", "Tensor"], "Tensor"]


class Task(Protocol):
    """A cost that a planner can be given; its only memory is the progress along the task.

    A task with an attribute `batched = True` also costs N robots at once: states (N, K, H+1, ds)
    and actions (N, K, H, da) give costs (N, K), with N references (N, ...). All differences between
    such tasks are in the reference. One with `stationary = True` takes an empty reference:
    a period's cost follows from states and command alone, so that a state has a value.
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


@runtime_checkable
class Weighted(Protocol):
    """A task whose weights may be exchanged between two plans; its progress stays.

    weights: a frozen dataclass of the kind that `Robot.cost_weights` returns.
    """

    weights: Any


def is_stationary(task: Task) -> bool:
    """Tell whether a period's cost is the same at any time and place; see `Task`."""
    return bool(getattr(task, "stationary", False))


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
