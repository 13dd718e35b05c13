"""Chooses a test-time rule's settings on validation data: a baseline counts only when tuned."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.guard import Guard, GuardConfig
from ros_mbmrl.dynamics.mlp import Parameters
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.evaluation.open_loop import open_loop_errors
from ros_mbmrl.training.segments import Transitions

_STEPS: Mapping[str, tuple[float, ...]] = {
    "steps": (1, 3),
    "step": (0.001, 0.01, 0.03),
    "bias_step": (0.03, 0.1, 0.3, 1.0, 3.0, 10.0),
}
GRIDS: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    "residual": {"gain": (0.1, 0.25, 0.5, 0.75, 1.0)},
    "mb_de": _STEPS,
    "context_de": _STEPS,
}


def tune(
    method: str,
    model: DynamicsModel,
    parameters: Parameters,
    validation: Transitions,
    window: int,
    horizon: int,
    given: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The options with the lowest open-loop error after the update, and the whole record.

    given: options that stay as they are, where the grid has no others for them.
    """
    grid = GRIDS[method]
    record = []
    for values in product(*grid.values()):
        options = dict(zip(grid, values, strict=True))
        rule = make_rule(method, {**(given or {}), **options})
        guard = Guard(rule, parameters, window, GuardConfig())
        errors = open_loop_errors(model, guard, validation, horizon, stride=3).normalised
        record.append({**options, "error": float(errors[1].nan_to_num(nan=100.0).mean())})
    best = min(record, key=lambda row: row["error"])
    return {**(given or {}), **{name: best[name] for name in grid}}, record
