"""The facts that the card of a trained model states, beside the robot's interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ros_mbmrl.adaptation.guard import GuardConfig
from ros_mbmrl.learning.models.config import TrainConfig


def facts_of(
    config: TrainConfig,
    scores: Mapping[str, float],
    min_transitions: int,
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the facts that follow from a fit.

    Args:
        config: of the fit.
        scores: errors on the validation runs.
        min_transitions: the guard's: fewer are not adapted to.
        options: of the rule at test time; the fit's own if None.
    """
    guard = GuardConfig(min_transitions=min_transitions)
    return {
        "method": config.method,
        "options": dict(config.options if options is None else options),
        "adapt_window": max(config.adapt_windows),
        "adapt_windows": list(config.adapt_windows),
        "predict_window": config.predict_window,
        "horizon": config.horizon,
        "guard": {"folds": guard.folds, "min_transitions": guard.min_transitions},
        "seed": config.seed,
        "scores": {name: round(value, 5) for name, value in scores.items()},
    }
