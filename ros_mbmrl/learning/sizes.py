"""Size of a training by Algorithm 9 on the simulated robots, and the planner it collects with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Training:
    """Size of a training by Algorithm 9.

    random_runs: rollouts of random actions at first. rounds: after that, of `runs` rollouts each
    that follow the model so far. steps: control steps of a rollout. supervised_steps, meta_steps:
    of the optimiser, each time. adapt_window, predict_window: T1, T2. segments: a batch.
    members: networks of an ensemble, 1 for a single network. value: whether a value function is
    learned from the collector's runs; its plans, and those of every method, end with it. halfway:
    whether the methods are also fitted and tried after half of the rounds. features: of
    older models of the robot; empty: today's.
    """

    hidden: tuple[int, ...]
    activation: str
    random_runs: int
    rounds: int
    runs: int
    steps: int
    supervised_steps: int
    meta_steps: int
    segments: int
    adapt_window: int
    predict_window: int
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    members: int = 1
    value: bool = False
    halfway: bool = True
    features: tuple[str, ...] = ()

    def transitions(self, rounds: int) -> int:
        """Count the transitions that so many rounds after the random one gather."""
        return (self.random_runs + rounds * self.runs) * self.steps

    @property
    def curve_rounds(self) -> tuple[int, ...]:
        """Return the rounds after which every method is fitted and tried: all, and maybe half."""
        half = (-(-self.rounds // 2),) if self.halfway else ()
        return tuple(dict.fromkeys((*half, self.rounds)))


# Section 9.4.3 gives all methods 1.5 to 3 hours of the robot's time. These 58,800 transitions are
# 49 minutes. Learning rate, rounds and planner were chosen on validation situations, with models of
# MB (docs/training.md); the optimiser's steps are what an hour on two cores allows.
SMALL = Training((128, 128), "silu", 72, 20, 16, 150, 1000, 1500, 32, 16, 16, 4e-3)
# Of the planner's samples: chosen with the true simulators for a model, as config/*.yaml.
NOISE: Mapping[str, float] = MappingProxyType(
    {"sigma": 0.3, "correlation": 0.0, "held_fraction": 0.0}
)
PLANNER: Mapping[str, Any] = MappingProxyType({"num_samples": 128, "horizon": 12, **NOISE})
# With a value at their end, plans of half a second gather more than those of a second do:
# `mbmrl evaluate base-ablation`, docs/results.md.
ICEM: Mapping[str, Any] = MappingProxyType({"num_samples": 100, "horizon": 10, "iterations": 3})
PLANNERS: Mapping[str, Mapping[str, Any]] = MappingProxyType({"mppi": PLANNER, "icem": ICEM})
