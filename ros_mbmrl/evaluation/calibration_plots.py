"""Pictures of the twin beside the robot, as PNG files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.evaluation.plots import COLOURS, panels, save
from ros_mbmrl.learning.identification.gait import FIGURES, steps_and_stretches

Figures = Mapping[str, Mapping[str, float]]


def ratios(goal: Figures, figures: Figures, close: float, file: Path) -> None:
    """Draw twin over robot, a line per figure, a mark per terrain, and the accepted band."""
    figure, (axes,) = panels(1, 6.5, 6.5)
    axes.axvspan(1 - close, 1 + close, color="#009e73", alpha=0.15)
    axes.axvline(1.0, color="k", linewidth=0.8)
    names = list(FIGURES)
    for k, terrain in enumerate(goal):
        values = [np.clip(figures[terrain][n] / goal[terrain][n], 0.0, 2.0) for n in names]
        places = np.arange(len(names)) + 0.15 * (k - 1.5)
        axes.plot(values, places, "o^sD"[k % 4], color=COLOURS[k + 1], markersize=5, label=terrain)
    axes.set_yticks(range(len(names)), [f"{n} [{FIGURES[n]}]" for n in names], fontsize="small")
    axes.invert_yaxis()
    axes.set_xlim(0.0, 2.05)
    axes.set_xlabel("twin / robot")
    axes.legend(fontsize="small")
    save(figure, file)


def gaits(
    runs: Mapping[str, Sequence[Rollout]], twin: Mapping[str, Sequence[Rollout]], file: Path
) -> None:
    """Draw speed over leg frequency, yaw rate over their difference, achieved over set-point."""
    figure, axes = panels(3 * len(runs), 3.2, 2.6)
    for k, terrain in enumerate(runs):
        for several, colour, label in (
            (runs[terrain], COLOURS[0], "robot"),
            (twin[terrain], COLOURS[4], "twin"),
        ):
            steps, stretches = steps_and_stretches(several)
            hz = stretches[:, 2:4]
            style: dict[str, Any] = {"color": colour, "s": 3.0, "alpha": 0.35, "label": label}
            axes[3 * k].scatter(hz.mean(axis=1), stretches[:, 0], **style)
            axes[3 * k + 1].scatter(hz[:, 1] - hz[:, 0], stretches[:, 1], **style)
            axes[3 * k + 2].scatter(steps[::4, 4], steps[::4, 2], **style)
        titles = ("speed [m/s] over Hz", "yaw rate [rad/s] over Hz", "achieved over set Hz, left")
        for which, title in enumerate(titles):
            axes[3 * k + which].set_title(f"{terrain}: {title}", fontsize="small")
    axes[0].legend(fontsize="small")
    save(figure, file)
