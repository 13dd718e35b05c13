"""MPPI for N robots at once: each as if it were alone, all of them in the same products.

Every robot draws from a generator of its own, so that its plan does not hang on who else is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.planning.mppi import MPPIConfig, importance_weights
from ros_mbmrl.planning.sampling import Limits, Sampler
from ros_mbmrl.robots.task import CostEach

# predict(states (N, ds), actions (N, K, H, da)) -> states (N, K, H+1, ds), the first included
PredictEach = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class BatchStart:
    """What N plans start from; see `WarmStart`.

    actions: (N, H, da), the previous plans, moved one step on. known: (N,), who has one.
    previous: (N, da), the last commands that were really sent.
    """

    actions: Tensor
    known: Tensor
    previous: Tensor


@dataclass(frozen=True)
class Plans:
    """actions: (N, H, da), at rest where nothing finite was found. found: (N,), where it was."""

    actions: Tensor
    found: Tensor

    def shifted(self, applied: Tensor) -> BatchStart:
        """Where the next plans start: these a step on, their last actions held."""
        moved = torch.cat([self.actions[:, 1:], self.actions[:, -1:]], dim=1)
        return BatchStart(moved, self.found, applied)


class BatchMPPI:
    """See `MPPI`, which it is for every single robot. No deadline: this is for simulation."""

    def __init__(self, limits: Limits, config: MPPIConfig) -> None:
        self.config = config
        self._limits, self._sampler = limits, Sampler(limits, config)
        self._std = config.sigma * limits.span
        self._rest = torch.zeros_like(limits.low).clamp(limits.low, limits.high)
        self._temperature = config.temperature, config.relative_temperature

    def start(self, robots: int) -> BatchStart:
        """At rest, without a plan."""
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
        """Plans from states (N, ds) for the robots that are `wanted` (N,); the others rest.

        Of the others nothing is drawn, and their costs do not count.
        """
        # Clipped, so that mixtures with it stay within the limits.
        means = self._limits.enforce_(start.actions.clone(), start.previous)
        known, alive, found = start.known, wanted, torch.zeros_like(wanted)
        for _ in range(self.config.iterations):
            candidates = self._sample(means, known, alive, start.previous, generators)
            costs = cost(predict(states, candidates), candidates)
            if costs.shape != candidates.shape[:2]:
                raise ValueError(
                    f"cost: expected {tuple(candidates.shape[:2])} costs, got {tuple(costs.shape)}"
                )
            alive = alive & costs.isfinite().any(dim=1)
            weights = importance_weights(costs, *self._temperature)
            mixed = torch.bmm(weights[:, None], candidates.flatten(2)).view_as(means)
            means = torch.where(alive[:, None, None], mixed, means)
            known, found = known | alive, found | alive
        # Feasible already but for rounding, which must not look like a violation later on.
        actions = self._limits.enforce_(means, start.previous)
        found = found & actions.isfinite().all(dim=2).all(dim=1)
        return Plans(torch.where(found[:, None, None], actions, self._rest), found)

    def _sample(
        self,
        means: Tensor,
        known: Tensor,
        alive: Tensor,
        previous: Tensor,
        generators: Sequence[Generator],
    ) -> Tensor:
        """Candidates (N, K, H, da); see `Sampler.sample`, whose numbers are drawn in its order."""
        robots, horizon, dims = means.shape
        count = self.config.num_samples
        noise = means.new_zeros(robots, count, horizon, dims)
        anywhere = means.new_zeros(robots, count, 1, dims)
        drawing = zip(generators, alive.tolist(), known.tolist(), strict=True)
        for n, (generator, lives, knows) in enumerate(drawing):
            if lives:
                noise[n].normal_(generator=generator)
            if lives and not knows:
                anywhere[n].uniform_(generator=generator)
        mask = known[:, None, None, None]
        centre = torch.where(mask, means[:, None], self._sampler.anywhere_(anywhere))
        candidates = self._sampler.spread_(noise, centre, self._std)
        candidates[:, 0] = torch.where(mask[:, 0], means, candidates[:, 0])
        return self._limits.enforce_(candidates, previous[:, None])
