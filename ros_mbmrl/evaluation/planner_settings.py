"""Planners and sizes that are compared, frozen: the reported episodes do not choose them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class Setting:
    """A planner and its size. parameters: the other ones, by name."""

    planner: str
    samples: int
    horizon: int
    label: str = ""
    iterations: int = 1
    parameters: tuple[tuple[str, float], ...] = ()

    @property
    def family(self) -> str:
        """Return the name of its colour group."""
        return self.label or self.planner

    @property
    def name(self) -> str:
        """Return its unique name."""
        times = f" x {self.iterations}" if self.iterations > 1 else ""
        return f"{self.family} {self.samples} x {self.horizon}{times}"

    @property
    def overrides(self) -> dict[str, Any]:
        """Return the parameters for `make_planner`."""
        size: dict[str, Any] = {"num_samples": self.samples, "horizon": self.horizon}
        if self.planner != "random_shooting":
            size["iterations"] = self.iterations
        return {**size, **dict(self.parameters)}

    def operations(self, sizes: Sequence[int]) -> int:
        """Return multiplications and additions of the network's products in a plan."""
        once = sum(2 * inputs * outputs for inputs, outputs in pairwise(sizes))
        return self.samples * self.horizon * self.iterations * once


PLAIN = (("correlation", 0.0), ("held_fraction", 0.0))
REFERENCE = Setting("mppi", 1000, 10, "plain mppi", parameters=PLAIN)
CEM_SIZES = ((32, 5), (64, 3), (64, 5))
# Frozen: the settings are not chosen by the episodes that are reported.
SETTINGS: tuple[Setting, ...] = (
    REFERENCE,
    *(replace(REFERENCE, samples=k, horizon=h) for k, h in ((250, 10), (1000, 5), (250, 5))),
    *(Setting("mppi", k, 3) for k in (64, 125, 500)),
    *(Setting("mppi", k, 5) for k in (32, 64, 125, 250, 500, 1000)),
    *(Setting("mppi", k, 10) for k in (64, 125, 250, 1000)),
    *(Setting("mppi", k, 5, iterations=2) for k in (64, 125)),
    Setting("mppi", 300, 5, iterations=4),
    *(Setting("random_shooting", k, 5) for k in (125, 500, 1000)),
    *(Setting("cem", k, h, iterations=3) for k, h in (*CEM_SIZES, (166, 5), (333, 10))),
    *(Setting("icem", k, h, iterations=3) for k, h in (*CEM_SIZES, (100, 20))),
)
# The arm's torques act at once: its noise is as configured for it, for every planner.
FINE = (("sigma", 0.04),)
