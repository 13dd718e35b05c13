"""Planning for N robots at once: each as if alone, all in the same matrix products.

Every robot draws from its own generator, so its plan does not depend on the other robots.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Generator, Tensor

from ros_mbmrl.errors import UserError
from ros_mbmrl.planning import make_planner
from ros_mbmrl.planning.base import moved_on
from ros_mbmrl.planning.members import copied, member_count, propagated, risky
from ros_mbmrl.planning.search import SamplingPlanner, Search, join_
from ros_mbmrl.robots.spec import RobotSpec
from ros_mbmrl.robots.task import CostEach

# predict(states (N, ds), actions (N, K, H, da)) -> states (N, K, H+1, ds), the first included
PredictEach = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class BatchStart:
    """Start of N plans; see `WarmStart`.

    Args:
        actions: (N, H, da), the previous plans, moved one step on.
        known: (N,), which robots have a previous plan.
        previous: (N, da), the last commands that were really sent.
        elites: (N, E, H, da), moved on as well; None at the start and of planners without any.
    """

    actions: Tensor
    known: Tensor
    previous: Tensor
    elites: Tensor | None = None


@dataclass(frozen=True)
class Plans:
    """The plans of N robots.

    Args:
        actions: (N, H, da).
        found: (N,), where it is false, nothing was finite: rest.
        elites: (N, E, H, da), or None; see `Plan`.
    """

    actions: Tensor
    found: Tensor
    elites: Tensor | None = None

    def shifted(self, applied: Tensor) -> BatchStart:
        """Return the start of the next plans: these moved a step on, last actions repeated."""
        elites = None if self.elites is None else moved_on(self.elites)
        return BatchStart(moved_on(self.actions), self.found, applied, elites)


class BatchPlanner:
    """A sampling planner for N robots, each as if it were alone. No deadline: for simulation.

    Args:
        planner: defines how the distribution moves to the good candidates.
    """

    def __init__(self, planner: SamplingPlanner) -> None:
        self.config = planner.config
        self._planner, self._limits = planner, planner.limits
        low, high = self._limits.low, self._limits.high
        self._rest = torch.zeros_like(low).clamp(low, high)

    def start(self, robots: int) -> BatchStart:
        """Return a start at rest, without a plan."""
        plans = self._rest.expand(robots, self.config.horizon, -1)
        return BatchStart(plans, self._rest.new_zeros(robots) > 0, plans[:, 0])

    def plan(
        self,
        predict: PredictEach,
        cost: CostEach,
        states: Tensor,
        start: BatchStart,
        generators: Sequence[Generator],
        wanted: Tensor,
    ) -> Plans:
        """Plan for N robots at once.

        Args:
            predict: rolls out candidates of every robot.
            cost: of roll-outs.
            states: (N, ds).
            start: the previous plans and the last commands.
            generators: one for each robot.
            wanted: (N,), which robots get a plan; the others rest, and nothing is drawn for them.
        """
        # Clipped, so that mixtures with it stay within the limits.
        means = self._limits.enforce_(start.actions.clone(), start.previous)
        search = replace(self._planner.start(means), elites=start.elites)
        from_plan = search.mean is not None  # random shooting starts anew
        known = start.known if from_plan else torch.zeros_like(start.known)
        alive, found = wanted, torch.zeros_like(wanted)
        predict, risk = propagated(predict, self.config, None), self.config.risk
        copies = member_count(predict) if risk else 1
        for _ in range(self._planner.iterations):
            candidates = self._sample(means, search, known, alive, start.previous, generators)
            rows = copied(candidates, copies)
            costs = cost(predict(states, rows), rows)
            if costs.shape != rows.shape[:2]:
                raise ValueError(
                    f"cost: expected {tuple(rows.shape[:2])} costs, got {tuple(costs.shape)}"
                )
            costs = risky(costs, copies, risk)
            alive = alive & costs.isfinite().any(dim=1)
            search = replace(search, mean=means, known=known)
            search = self._planner.update(search, candidates, costs)
            means = torch.where(alive[:, None, None], search.mean, means)  # type: ignore[arg-type]
            known, found = known | alive, found | alive
        # Feasible already but for rounding, which must not look like a violation later.
        actions = self._limits.enforce_(means, start.previous)
        found = found & actions.isfinite().all(dim=2).all(dim=1)
        return Plans(torch.where(found[:, None, None], actions, self._rest), found, search.elites)

    def _sample(
        self,
        means: Tensor,
        search: Search,
        known: Tensor,
        alive: Tensor,
        previous: Tensor,
        generators: Sequence[Generator],
    ) -> Tensor:
        """Return candidates (N, K, H, da), drawn in the order of `Sampler.sample`."""
        robots, horizon, dims = means.shape
        count, sampler = self.config.num_samples, self._planner.sampler
        noise = means.new_zeros(robots, count, horizon, dims)
        anywhere = means.new_zeros(robots, count, 1, dims)
        drawing = zip(generators, alive.tolist(), known.tolist(), strict=True)
        for n, (generator, lives, knows) in enumerate(drawing):
            if lives:
                noise[n].normal_(generator=generator)
            if lives and not knows:
                anywhere[n].uniform_(generator=generator)
        mask = known[:, None, None, None]
        centre = torch.where(mask, means[:, None], sampler.anywhere_(anywhere))
        std = search.std if search.std.dim() == 1 else search.std[:, None]
        candidates = sampler.spread_(noise, centre, std)
        candidates[:, 0] = torch.where(mask[:, 0], means, candidates[:, 0])
        self._limits.enforce_(candidates, previous[:, None])
        join_(candidates, search.elites, self._limits, previous[:, None])
        return candidates


def make_batch_planner(
    name: str, spec: RobotSpec, planning: Mapping[str, Any], device: torch.device
) -> BatchPlanner:
    """Return the planner called `name` for many robots.

    Args:
        planning: its parameters by name.
        device: where plans are computed.

    Raises:
        UserError: no such planner or parameter, one that does not search by sampling, or one that
            draws from the model's variance.
    """
    planner = make_planner(name, spec, **planning)
    if not isinstance(planner, SamplingPlanner):
        raise UserError(f"planner {name}: expected one that searches by sampling")
    if planner.config.sample:
        raise UserError(
            "planner parameter sample: expected false where robots are planned for together"
        )
    return BatchPlanner(planner.to(device))
