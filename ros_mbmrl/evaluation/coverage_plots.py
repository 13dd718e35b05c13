"""Pictures of an ensemble's calibration, as PNG files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ros_mbmrl.evaluation.coverage import LEVELS
from ros_mbmrl.evaluation.plots import COLOURS, STYLES, panels, save
from ros_mbmrl.evaluation.statistics import unique

Row = dict[str, Any]


def coverage(rows: Sequence[Row], file: Path) -> None:
    """Draw coverage over level: a panel for each horizon, a line for each model and tag."""
    horizons = unique(rows, "horizon")
    figure, axes = panels(len(horizons), 3.6, 3.4)
    for own, horizon in zip(axes, horizons, strict=True):
        own.plot([0, 1], [0, 1], "k:", linewidth=1.0)
        for k, row in enumerate(r for r in rows if r["horizon"] == horizon):
            shares = [row[f"coverage_{100 * level:.0f}"] for level in LEVELS]
            label = f"{row['model']}, {row['tag']}"
            own.plot(LEVELS, shares, STYLES[k % 3], color=COLOURS[k % len(COLOURS)], marker="o",
                     markersize=3, label=label)  # fmt: skip
        own.set_title(f"{horizon} steps ahead", fontsize="small")
        own.set_xlabel("level of the interval")
        own.set_ylabel("share within")
    axes[0].legend(fontsize="x-small")
    save(figure, file)


def curves(rows: Sequence[Row], file: Path) -> None:
    """Draw the ROC curve of each detector: a panel for each tag."""
    tags = unique(rows, "tag")
    figure, axes = panels(len(tags), 3.6, 3.4)
    for own, tag in zip(axes, tags, strict=True):
        own.plot([0, 1], [0, 1], "k:", linewidth=1.0)
        for k, row in enumerate(r for r in rows if r["tag"] == tag):
            label = f"{row['model']}, {row['detector']}: {row['area']:.2f}"
            own.plot(*np.array(row["curve"]).T, STYLES[k % 3], color=COLOURS[k % len(COLOURS)],
                     label=label)  # fmt: skip
        own.set_title(tag, fontsize="small")
        own.set_xlabel("false alarms")
        own.set_ylabel("detections")
        own.legend(fontsize="x-small")
    save(figure, file)
