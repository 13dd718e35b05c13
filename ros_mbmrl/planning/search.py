"""The loop that all sampling planners share: sample, roll out, weigh; as often as time allows.

All candidates of an iteration are drawn at once and imagined in blocks with equal shares of every
kind; the first block holds the previous plan, moved on. After any block there is a plan.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Generator, Tensor

from ros_mbmrl.planning.base import (
    Cost,
    Deadline,
    NoFinitePlan,
    NoTime,
    Plan,
    Predict,
    Tried,
    WarmStart,
)
from ros_mbmrl.planning.budget import Budget, Pace
from ros_mbmrl.planning.members import (
    blocks_of,
    copied,
    member_count,
    propagated,
    risky,
)
from ros_mbmrl.planning.modes import Mode
from ros_mbmrl.planning.sampling import Limits, Sampler, SamplingConfig

LARGEST = 512  # candidates in a block: the activations of more no longer fit into the cache
SMALLEST = 64  # candidates in a block: fewer take as long as these
BLOCKS = 4  # in an iteration, if there is a deadline


@dataclass(frozen=True)
class Search:
    """Distribution to sample, of one robot or, with a leading dimension N, of many.

    Args:
        mean: (H, da), None at the start.
        std: (da,) or (H, da).
        elites: (E, H, da), candidates that take part again, or None.
        known: (N,), which of many robots have a mean; None: all.
    """

    mean: Tensor | None
    std: Tensor
    elites: Tensor | None = None
    known: Tensor | None = None


class SamplingPlanner(ABC):
    """A planner that only has to define how its distribution moves to the good candidates.

    See `Planner.plan`. The deadline is checked between blocks: a block that would not end in time
    is not begun, and the plan found so far is returned. Without a previous plan, one block is
    always imagined. From plan to plan the planner keeps only the duration of blocks, and only of
    plans that had a deadline.
    """

    def __init__(self, limits: Limits, config: SamplingConfig, iterations: int) -> None:
        self.config: SamplingConfig = config
        self.limits, self._horizon = limits, config.horizon
        self.sampler, self.iterations = Sampler(limits, config), iterations
        self._std = config.sigma * limits.span
        self._pace = Pace()

    @abstractmethod
    def update(self, search: Search, candidates: Tensor, costs: Tensor) -> Search:
        """Return the next distribution, given `candidates` (K, H, da) and their costs (K,).

        There are fewer than configured if time ended. Some costs may be non-finite, but never all.
        Of many robots all have a leading dimension N; where all costs of one are non-finite, what
        is returned for it is not used.
        The new mean is a convex combination of feasible sequences, and so is feasible itself.
        """

    def resized(self, num_samples: int, horizon: int | None = None) -> SamplingPlanner:
        """Return the planner with so many candidates and, if given, steps."""
        steps = horizon or self.config.horizon
        return self._with(replace(self.config, num_samples=num_samples, horizon=steps))

    def retuned(self, config: SamplingConfig) -> SamplingPlanner:
        """Return the planner with another configuration of the same horizon.

        It goes on from this one's plans, and knows how long blocks took lately.
        """
        if config.horizon != self.config.horizon:
            raise ValueError(f"horizon: expected {self.config.horizon}, got {config.horizon}")
        made = self._with(config)
        made._pace = self._pace
        return made

    def _with(self, config: SamplingConfig) -> SamplingPlanner:
        make: Any = type(self)
        made: SamplingPlanner = make(self.limits, config)
        return made

    def to(self, device: torch.device) -> SamplingPlanner:
        """Return the planner on a device."""
        make: Any = type(self)
        made: SamplingPlanner = make(self.limits.to(device), self.config)
        return made

    def start(self, previous: Tensor | None) -> Search:
        """Return the first distribution: around the previous plan (H, da), if there is one."""
        return Search(previous, self._std)

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
        """Plan from `state` (ds,); see `Planner.plan`. Raises NoFinitePlan."""
        budget, previous = Budget(deadline), self._moved_on(warm_start)
        horizon = self._pace.horizon(budget.left, self._horizon) if deadline else self._horizon
        if not horizon and previous is not None:
            return self._previous(previous)
        horizon = horizon or self._horizon  # late, but there is no previous plan
        predict, risk = propagated(predict, self.config, generator), self.config.risk
        members = member_count(predict)
        copies = members if risk else 1

        def imagine(candidates: Tensor) -> Tensor:
            rows = copied(candidates, copies)
            costs = cost(predict(state.expand(len(rows), -1), rows), rows, reference)
            if costs.shape != rows.shape[:1]:
                raise ValueError(f"cost: expected {len(rows)} costs, got {costs.shape}")
            return risky(costs, copies, risk)

        search = self.start(None if previous is None else previous[:horizon])
        if warm_start.elites is not None:
            search = replace(search, elites=warm_start.elites[:, :horizon])
        plan = None
        for left in reversed(range(self.iterations)):
            sent = warm_start.previous
            candidates = self.sampler.sample(search.mean, search.std, sent, generator, horizon)
            join_(candidates, search.elites, self.limits, sent)
            tried, costs = self._try(candidates, members, copies, imagine, budget)
            if not costs.isfinite().any():
                break
            search = self.update(search, tried, costs)
            complete = len(costs) == len(candidates) and (budget.lasts or not left)
            plan = self._conclude(search, Tried(tried, costs), previous, sent, complete)
            if not complete:
                break
        if deadline:
            self._pace.took(budget.first, horizon)
        if plan is None or not plan.actions.isfinite().all():
            raise NoFinitePlan("no imagined rollout has a finite cost")
        return plan

    def _moved_on(self, warm_start: WarmStart) -> Tensor | None:
        """Return the previous plan (H, da), clipped so that mixtures with it are within limits."""
        actions = warm_start.actions
        if actions is None:
            return None
        if actions.shape != (self._horizon, len(self.limits.low)):
            raise ValueError(
                f"warm start: expected shape ({self._horizon}, {len(self.limits.low)}), "
                f"got {tuple(actions.shape)}"
            )
        return self.limits.enforce_(actions.clone(), warm_start.previous)

    def _try(
        self,
        candidates: Tensor,
        members: int,
        copies: int,
        imagine: Callable[[Tensor], Tensor],
        budget: Budget,
    ) -> tuple[Tensor, Tensor]:
        """Return candidates and costs, block by block while time lasts; at least one block."""
        rows = copies * len(candidates)
        count = min(math.ceil(rows / LARGEST), len(candidates))
        if budget.ends:
            count = max(count, min(BLOCKS, math.ceil(len(candidates) / SMALLEST)))
        # With copies every candidate has all members, wherever it stands.
        blocks = blocks_of(candidates, count, members if copies == 1 else 1)
        costs: list[Tensor] = []
        for block in blocks:
            if costs and not budget.lasts:
                break
            costs.append(imagine(block))
            budget.look()
        if len(blocks) == 1:
            return candidates, costs[0]
        return torch.cat(blocks[: len(costs)]), torch.cat(costs)

    def _previous(self, actions: Tensor) -> Plan:
        """Return the previous plan once more. Raises NoTime when it is used up."""
        if self._pace.skipped() >= self._horizon:
            raise NoTime(f"no time to plan for {self._horizon} periods")
        if not actions.isfinite().all():
            raise NoFinitePlan("the previous plan is not finite")
        return Plan(actions[0].clone(), actions, math.nan, math.nan, 0, 0, Mode.PREVIOUS_PLAN)

    def _conclude(
        self, search: Search, tried: Tried, previous: Tensor | None, sent: Tensor, complete: bool
    ) -> Plan:
        assert search.mean is not None
        horizon = len(search.mean)
        rest = search.mean[-1:].expand(self._horizon - horizon, -1)
        if previous is not None:
            rest = previous[horizon:]
        # Feasible already but for rounding, which must not look like a violation later, and but for
        # where a shorter plan continues as the previous one.
        actions = self.limits.enforce_(torch.cat([search.mean, rest]), sent)
        costs = tried.costs
        finite = costs[costs.isfinite()]
        mode = Mode.FULL if complete else Mode.FEWER_CANDIDATES
        return Plan(
            action=actions[0].clone(),
            actions=actions,
            cost_min=float(finite.min()),
            cost_mean=float(finite.mean()),
            finite=len(finite),
            samples=len(costs),
            mode=mode if horizon == self._horizon else Mode.SHORTER_HORIZON,
            elites=search.elites if horizon == self._horizon else None,
            tried=tried,
        )


def join_(candidates: Tensor, elites: Tensor | None, limits: Limits, previous: Tensor) -> None:
    """Put elites (..., E, H, da) in place of candidates (..., K, H, da), behind the first one."""
    if elites is not None:
        count = min(elites.shape[-3], candidates.shape[-3] - 1)
        own = candidates[..., 1 : 1 + count, :, :]
        own.copy_(elites[..., :count, :, :])
        limits.enforce_(own, previous)


def finite_or_inf(costs: Tensor) -> Tensor:
    """Return costs (K,) with non-finite values as inf, so that they never rank as good."""
    return torch.where(costs.isfinite(), costs, torch.inf)
