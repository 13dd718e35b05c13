"""Types that all planners share: the problem they are given, and the plan they return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Generator, Tensor

from ros_mbmrl.planning.modes import Mode

# predict(state (K, ds), actions (K, H, da)) -> states (K, H+1, ds), the first one included. The
# model does the roll-out, so that a recurrent one can carry its hidden state.
Predict = Callable[[Tensor, Tensor], Tensor]
# cost(states (K, H+1, ds), actions (K, H, da), reference) -> costs (K,)
Cost = Callable[[Tensor, Tensor, Tensor], Tensor]
# deadline() -> seconds left for the answer
Deadline = Callable[[], float]


class NoFinitePlan(RuntimeError):
    """Error: every imagined roll-out had a non-finite cost, so there is no plan to choose."""


class NoTime(NoFinitePlan):
    """Error: there was no time to plan for so long that the previous plan is used up."""


@dataclass(frozen=True)
class WarmStart:
    """Start of a plan.

    Args:
        actions: (H, da), the previous plan moved one step on, or None at the start.
        previous: (da,), the last command that was really sent; rate limits count from it.
        elites: (E, H, da), moved on as well, of a planner that keeps some; or None.
    """

    actions: Tensor | None
    previous: Tensor
    elites: Tensor | None = None


@dataclass(frozen=True)
class Tried:
    """Candidates of a planner's last iteration, in no order.

    Args:
        actions: (K, H, da).
        costs: (K,); some may be non-finite.
    """

    actions: Tensor
    costs: Tensor

    def ranked(self, count: int) -> Tried:
        """Return at most `count` of the finite ones, cheapest first, spread over all ranks."""
        import torch

        finite = self.costs.isfinite()
        order = torch.where(finite, self.costs, torch.inf).argsort()[: int(finite.sum())]
        ranks = torch.linspace(0, len(order) - 1, min(count, len(order)), device=order.device)
        chosen = order[ranks.round().long()]
        return Tried(self.actions[chosen], self.costs[chosen])


@dataclass(frozen=True)
class Plan:
    """Result of a planner.

    Args:
        action: (da,), to be sent now.
        actions: (H, da), the whole plan.
        cost_min, cost_mean: over the finite roll-outs; nan for a previous plan.
        finite: how many of `samples` were finite.
        mode: how much of the plan there was time for.
        elites: (E, H, da), candidates that the next plan tries again, or None.
        tried: of a planner that samples; None: nothing was.
    """

    action: Tensor
    actions: Tensor
    cost_min: float
    cost_mean: float
    finite: int
    samples: int
    mode: Mode = Mode.FULL
    elites: Tensor | None = None
    tried: Tried | None = None

    def shifted(self, applied: Tensor) -> WarmStart:
        """Return the start of the next plan: this one moved a step on, its last action repeated."""
        elites = None if self.elites is None else moved_on(self.elites)
        return WarmStart(moved_on(self.actions), applied, elites)


def moved_on(actions: Tensor) -> Tensor:
    """Return sequences (..., H, da) a step later, their last action repeated."""
    import torch

    return torch.cat([actions[..., 1:, :], actions[..., -1:, :]], dim=-2)


class Planner(Protocol):
    """A search for actions by imagining their outcome. It never sees which adapter ran."""

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
        """Plan from a state.

        Args:
            predict: rolls out candidates under the adapted model.
            cost: of roll-outs.
            state: (ds,).
            reference: input of the cost.
            warm_start: the previous plan and the last command.
            generator: of the random numbers.
            deadline: seconds left; None: the whole plan, however long it takes.

        Raises:
            NoFinitePlan: no roll-out has a finite cost.
        """
