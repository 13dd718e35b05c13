"""Figure 4 of M3PO: what branched roll-outs promise beside those from the first state."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ros_mbmrl.evaluation.plots import panels, save
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.theory.total_variation import (
    Divergences,
    Problem,
    full_rollout_gap,
    printed_branched_gap,
)

DISCOUNTS = (0.85, 0.9, 0.95)
LENGTHS = np.arange(1, 51)  # k
ERRORS = np.linspace(0.0, 1.0, 101)  # epsilon_m
NO_DIVERGENCE, REST = "(a) policies alike", "(b) epsilon_pi = 1 - epsilon_m"


def surface(discount: float, part: str) -> Array:
    """Return C of theorem 2 less C of theorem 1, (lengths, errors), with r_max = 1.

    Args:
        discount: gamma.
        part: NO_DIVERGENCE, where policies are alike, or REST, where what the model's error leaves
            of 1 is the policies' divergence.
    """
    problem, found = Problem(discount), np.zeros((len(LENGTHS), len(ERRORS)))
    for column, model in enumerate(ERRORS.tolist()):
        errors = Divergences(model, 0.0 if part == NO_DIVERGENCE else 1.0 - model)
        full = full_rollout_gap(problem, errors)
        for row, k in enumerate(LENGTHS.tolist()):
            found[row, column] = printed_branched_gap(problem, errors, k) - full
    return found


def draw(file: Path) -> None:
    """Draw the six panels; below zero, in blue, the branched roll-outs promise more."""
    cases = [(part, g) for part in (NO_DIVERGENCE, REST) for g in DISCOUNTS]
    figure, grid = panels(len(cases), 3.0, 2.6, len(DISCOUNTS))
    for (part, discount), axes in zip(cases, grid, strict=True):
        values = surface(discount, part)
        most = np.abs(values).max()
        own = {"cmap": "RdBu_r", "vmin": -most, "vmax": most, "shading": "nearest"}
        figure.colorbar(axes.pcolormesh(ERRORS, LENGTHS, values, **own), ax=axes)
        axes.contour(ERRORS, LENGTHS, values, levels=[0.0], colors="k", linewidths=0.8)
        axes.set_title(f"{part}, gamma = {discount:g}", fontsize="small")
        axes.set_xlabel("model error epsilon_m")
        axes.set_ylabel("length k")
    save(figure, file)
