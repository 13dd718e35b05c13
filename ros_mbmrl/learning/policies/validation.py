"""Validation of a policy by the members of an ensemble: thesis, eq. 5, sections 4.2 and A.1.3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from ros_mbmrl.networks.mlp import Parameters

# performances(parameters) -> J_k of each of the K models, (K,)
Performances = Callable[[Parameters], Tensor]


@dataclass(frozen=True)
class ValidationConfig:
    """Settings of the criterion that ends an iteration's updates.

    every: updates between two validations. threshold: share of the models in which the policy has
    to improve. tolerance: updates that may fail in a row before the iteration ends. updates: an
    iteration's at most. episodes: of each model that performances are a mean over.
    """

    every: int = 5
    threshold: float = 0.7
    tolerance: int = 25
    updates: int = 200
    episodes: int = 20

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ValueError(
                "threshold: expected a share above 0 and up to 1, since no ratio is below 0 or "
                f"above 1, got {self.threshold}"
            )
        if min(self.every, self.episodes) < 1 or self.tolerance < 0:
            raise ValueError("expected every and episodes of at least 1, tolerance of at least 0")
        validated = self.updates - self.updates % self.every  # updates until the last one
        if validated < max(self.tolerance, self.every):
            raise ValueError(
                f"updates: expected at least every ({self.every}) and tolerance "
                f"({self.tolerance}) in whole multiples of every, or the criterion can never be "
                f"met, got {self.updates}"
            )


class Validation:
    """Tells after an update whether to go on, and keeps the policy that passed last.

    Args:
        config: when to validate, and when to stop.
        performances: estimates J_k, on the same starts every time.
        parameters: of the policy that the iteration begins with.

    Attributes:
        best: parameters of the last policy that passed, or the first one.
        performance: its J_k, (K,).
        ratio: eq. 5 of the last validation; 1 before the first.
    """

    def __init__(
        self, config: ValidationConfig, performances: Performances, parameters: Parameters
    ) -> None:
        self._config, self._performances = config, performances
        self.best, self.performance = parameters, performances(parameters)
        self.updates, self.ratio, self._failed = 0, 1.0, 0

    def goes_on(self, parameters: Parameters) -> bool:
        """Count an update that led to `parameters`; tell whether another one is to follow."""
        config = self._config
        self.updates += 1
        if self.updates % config.every == 0:
            found = self._performances(parameters)
            self.ratio = improved_ratio(found, self.performance)
            if self.ratio >= config.threshold:
                self.best, self.performance, self._failed = parameters, found, 0
            else:  # tolerated for a while, in case that it improves again
                self._failed += config.every
        stopped = self._failed > 0 and self._failed >= config.tolerance
        return self.updates < config.updates and not stopped


def improved_ratio(new: Tensor, old: Tensor) -> float:
    """Return the share of the K models in which J_k improves, (K,) each: eq. 5."""
    return int((new > old).sum()) / len(new)  # in float32, 7 of 10 would not reach .7
