"""Pictures of the runs of a graph: ways on the floor, distances and errors over time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ros_mbmrl.evaluation.recorded_run import RecordedRun

COLOURS = ("#c44e52", "#4c72b0", "#55a868", "#8172b2", "#ccb974", "#64b5cd")


def draw_paths(png: Path, runs: Mapping[str, RecordedRun], fault_at: float | None) -> None:
    """Draw one panel per run, as in the thesis, fig. 35."""
    plt = _pyplot()
    figure, axes = plt.subplots(1, len(runs), figsize=(5.5 * len(runs), 5.2), squeeze=False)
    for axis, (name, run), colour in zip(axes[0], runs.items(), COLOURS * 9, strict=False):
        axis.plot(*run.reference.T, "k:", linewidth=1.2, label="path")
        after = run.times >= (np.inf if fault_at is None else fault_at)
        axis.plot(*run.xy.T, color=colour, linewidth=1.0, alpha=0.35)
        axis.plot(*run.xy[after].T, color=colour, linewidth=1.8, label="after the fault")
        if after.any():
            axis.plot(*run.xy[after][0], "k*", markersize=12, label="fault")
        figures = run.figures(fault_at)
        after_fault = figures["cross_track_after_fault_m"]
        distance = figures["cross_track_before_fault_m"] if after_fault is None else after_fault
        axis.set_title(f"{name}: {100 * distance:.1f} cm from the path")
        axis.set_aspect("equal")
        axis.set_xlabel("x [m]")
        axis.legend(loc="lower right", fontsize=8)
    axes[0, 0].set_ylabel("y [m]")
    figure.tight_layout()
    figure.savefig(png, dpi=110)
    plt.close(figure)


def draw_errors(png: Path, runs: Mapping[str, RecordedRun], fault_at: float | None) -> None:
    """Draw the model's error before and after adaptation, and the distance from a path."""
    plt = _pyplot()
    labels = ["model error"]
    if any(len(run.cross_track) for run in runs.values()):
        labels.insert(0, "distance from the path [cm]")
    size = (9, 3 * len(labels))
    figure, axes = plt.subplots(len(labels), 1, figsize=size, sharex=True, squeeze=False)
    top, bottom = axes[0, 0], axes[-1, 0]
    for (name, run), colour in zip(runs.items(), COLOURS * 9, strict=False):
        bottom.plot(run.error_times, run.errors[:, 0], ":", color=colour, label=f"{name}, prior")
        bottom.plot(run.error_times, run.errors[:, 1], color=colour, label=f"{name}, adapted")
        if len(run.cross_track):
            distance = 100 * np.abs(run.cross_track)
            top.plot(run.times[: len(distance)], distance, color=colour, label=name)
    for axis, label in zip(axes[:, 0], labels, strict=True):
        if fault_at is not None:
            axis.axvline(fault_at, color="k", linewidth=0.8, linestyle="--")
        axis.set_ylabel(label)
        axis.legend(fontsize=8)
    bottom.set_xlabel("time [s]")
    figure.tight_layout()
    figure.savefig(png, dpi=110)
    plt.close(figure)


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot
