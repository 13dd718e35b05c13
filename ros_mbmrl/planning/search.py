"""The loop that all sampling planners share: sample, roll out, weigh; as often as time allows."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.planning.base import Cost, Deadline, NoFinitePlan, Plan, Predict, WarmStart
from ros_mbmrl.planning.sampling import Limits, Sampler, SamplingConfig


@dataclass(frozen=True)
class Search:
    """Where to look next. mean: (H, da), None at the start; std: (da,) or (H, da)."""

    mean: Tensor | None
    std: Tensor


class SamplingPlanner(ABC):
    """A planner that is told only how to move its distribution to the good candidates.

    See `Planner.plan`. The deadline is looked at between iterations: one that would not end in
    time is not begun, and the plan found so far is returned. The first is always run.
    """

    def __init__(self, limits: Limits, config: SamplingConfig, iterations: int) -> None:
        self._limits, self._horizon, self._iterations = limits, config.horizon, iterations
        self._sampler = Sampler(limits, config)
        self._std = config.sigma * limits.span

    @abstractmethod
    def update(self, search: Search, candidates: Tensor, costs: Tensor) -> Search:
        """Where to look after `candidates` (K, H, da) turned out to cost `costs` (K,).

        Some costs may be non-finite, but never all of them. The new mean is a convex
        combination of feasible sequences, and so is feasible itself.
        """

    def start(self, warm_start: WarmStart) -> Search:
        """Where to look first: around the previous plan."""
        mean = warm_start.actions
        if mean is None:
            return Search(None, self._std)
        if mean.shape != (self._horizon, len(self._limits.low)):
            raise ValueError(
                f"warm start: expected shape ({self._horizon}, {len(self._limits.low)}), "
                f"got {tuple(mean.shape)}"
            )
        # Clipped, so that mixtures with it stay within the limits.
        return Search(self._limits.enforce_(mean.clone(), warm_start.previous), self._std)

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
        """The plan from `state` (ds,). Raises NoFinitePlan."""
        search, plan = self.start(warm_start), None
        left = deadline() if deadline else math.inf
        for _ in range(self._iterations):
            candidates = self._sampler.sample(
                search.mean, search.std, warm_start.previous, generator
            )
            states = predict(state.expand(len(candidates), -1), candidates)
            costs = cost(states, candidates, reference)
            if costs.shape != candidates.shape[:1]:
                raise ValueError(f"cost: expected {len(candidates)} costs, got {costs.shape}")
            if not costs.isfinite().any():
                break
            search = self.update(search, candidates, costs)
            plan = self._conclude(search, costs, warm_start.previous)
            before, left = left, deadline() if deadline else math.inf
            if left < before - left:
                break
        if plan is None or not plan.actions.isfinite().all():
            raise NoFinitePlan("no imagined rollout has a finite cost")
        return plan

    def _conclude(self, search: Search, costs: Tensor, previous: Tensor) -> Plan:
        assert search.mean is not None
        # Feasible already but for rounding, which must not look like a violation later on.
        actions = self._limits.enforce_(search.mean.clone(), previous)
        finite = costs[costs.isfinite()]
        return Plan(
            action=actions[0].clone(),
            actions=actions,
            cost_min=float(finite.min()),
            cost_mean=float(finite.mean()),
            finite=len(finite),
            samples=len(costs),
        )


def finite_or_inf(costs: Tensor) -> Tensor:
    """Costs (K,) in which nothing non-finite can rank as good."""
    return torch.where(costs.isfinite(), costs, torch.inf)
