"""What all planners share: the problem they are given, and the plan they return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Generator, Tensor

from ros_mbmrl.planning.modes import Mode

# predict(state (K, ds), actions (K, H, da)) -> states (K, H+1, ds), the first one included.
# Rolling out is the model's business, so that a recurrent one can carry its hidden state.
Predict = Callable[[Tensor, Tensor], Tensor]
# cost(states (K, H+1, ds), actions (K, H, da), reference) -> costs (K,)
Cost = Callable[[Tensor, Tensor, Tensor], Tensor]
# deadline() -> seconds left to answer in
Deadline = Callable[[], float]


class NoFinitePlan(RuntimeError):
    """Every imagined rollout had a non-finite cost: there is nothing to choose from."""


class NoTime(NoFinitePlan):
    """There was no time to plan for so long that the previous plan is used up."""


@dataclass(frozen=True)
class WarmStart:
    """What a planner starts from.

    actions: (H, da), the previous plan moved one step on, or None at the start.
    previous: (da,), the last command that was really sent; rate limits count from it.
    """

    actions: Tensor | None
    previous: Tensor


@dataclass(frozen=True)
class Plan:
    """What a planner found.

    action: (da,), to be sent now. actions: (H, da), the whole plan.
    cost_min, cost_mean: over the finite rollouts. finite: how many of `samples` were finite.
    mode: how much of it there was time for; of the previous plan there are no costs (nan).
    """

    action: Tensor
    actions: Tensor
    cost_min: float
    cost_mean: float
    finite: int
    samples: int
    mode: Mode = Mode.FULL

    def shifted(self, applied: Tensor) -> WarmStart:
        """Where the next plan starts: this one a step on, its last action held."""
        import torch

        return WarmStart(torch.cat([self.actions[1:], self.actions[-1:]]), applied)


class Planner(Protocol):
    """Chooses actions by imagining their outcome. It never sees which adapter ran."""

    def plan(
        self,
        predict: Predict,
        cost: Cost,
        state: Tensor,
        reference: Tensor,
        warm_start: WarmStart,
        generator: Generator,
        deadline: Deadline | None = None,
    ) -> Plan:
        """The plan from `state` (ds,); all of it, however long it takes, without a deadline.

        Raises NoFinitePlan.
        """
