"""Adapter: u_psi of the thesis (eq. 22), a pure function from prior and window to a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

# The weights of a network by name, and whatever else an update rule has learned (psi).
Parameters = dict[str, Tensor]


@dataclass(frozen=True)
class Window:
    """The newest transitions, oldest first: n <= T1 of them.

    features: (n, df). actions: (n, da). changes: (n, dc). All raw, in SI units.
    """

    features: Tensor
    actions: Tensor
    changes: Tensor

    def __len__(self) -> int:
        return len(self.actions)

    def last(self, count: int) -> Window:
        """The newest `count` transitions."""
        return Window(self.features[-count:], self.actions[-count:], self.changes[-count:])

    def before(self, count: int) -> Window:
        """All but the newest `count` transitions."""
        return Window(self.features[:-count], self.actions[:-count], self.changes[:-count])


@dataclass(frozen=True)
class AdaptReport:
    """What adaptation did, for diagnostics.

    error_before, error_after: robust normalised error on the newest transitions, of the prior
    and of a model adapted without having seen them. change: relative norm of the update.
    """

    transitions: int
    error_before: float
    error_after: float
    change: float
    accepted: bool
    reason: str


@dataclass(frozen=True)
class Adapted:
    """A model's parameters after adaptation, and how that went."""

    parameters: Parameters
    report: AdaptReport


class Adapter(Protocol):
    """An update rule. Pure: the prior is never written to."""

    def adapt(self, parameters: Parameters, window: Window) -> Parameters:
        """Adapted parameters from the prior's and a non-empty window."""
