"""MPPI for N robots at once: each plans as if alone, all in the same matrix products.

Every robot draws from its own generator, so its plan does not depend on the other robots.
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
    """Start of N plans; see `WarmStart`.

    Args:
        actions: (N, H, da), the previous plans, moved one step on.
        known: (N,), which robots have a previous plan.
        previous: (N, da), the last commands that were really sent.
    """

    actions: Tensor
    known: Tensor
    previous: Tensor


@dataclass(frozen=True)
class Plans:
    """Plans `actions` (N, H, da), and `found` (N,): where it is false, nothing was finite: rest."""

    actions: Tensor
    found: Tensor

    def shifted(self, applied: Tensor) -> BatchStart:
        """Return the start of the next plans: these moved a step on, last actions repeated."""
        moved = torch.cat([self.actions[:, 1:], self.actions[:, -1:]], dim=1)
        return BatchStart(moved, self.found, applied)


class BatchMPPI:
    """`MPPI` for N robots, each as if it were alone. No deadline: this is for simulation."""

    def __init__(self, limits: Limits, config: MPPIConfig) -> None:
        self.config = config
        self._limits, self._sampler = limits, Sampler(limits, config)
        self._std = config.sigma * limits.span
        self._rest = torch.zeros_like(limits.low).clamp(limits.low, limits.high)
        self._temperature = config.temperature, config.relative_temperature

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
        # Feasible already but for rounding, which must not look like a violation later.
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
        """Return candidates (N, K, H, da), drawn in the order of `Sampler.sample`."""
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
