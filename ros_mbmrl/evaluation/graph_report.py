"""The report of `launch adapt ... report:=DIR`, from the recordings in DIR, one per method.

`python -m ros_mbmrl.evaluation.graph_report DIR` makes it again.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ros_mbmrl import __version__
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.html import Image, Section, Table, write_page
from ros_mbmrl.evaluation.recorded_run import RecordedRun, read_run
from ros_mbmrl.evaluation.task_figures import task_figures

COLOURS = ("#c44e52", "#4c72b0", "#55a868", "#8172b2", "#ccb974", "#64b5cd")
SHOWN = {
    "cross_track_before_fault_m": "cross-track before the fault [m]",
    "cross_track_after_fault_m": "cross-track after the fault [m]",
    "cross_track_max_m": "largest cross-track [m]",
    "return": "return",
    "speed_before_fault_m_s": "speed before the fault [m/s]",
    "speed_after_fault_m_s": "speed after the fault [m/s]",
    "distance_before_fault_m": "distance from the goal before the fault [m]",
    "distance_after_fault_m": "distance from the goal after the fault [m]",
    "cost_before_fault": "cost a step before the fault",
    "cost_after_fault": "cost a step after the fault",
    "model_error_before": "model error, prior",
    "model_error_after": "model error, adapted",
    "accepted_fraction": "adaptations accepted",
    "cause": "cause found",
    "cause_probability": "its probability",
    "cause_since_s": "known since [s]",
    "missed_deadlines": "missed deadlines",
    "period_mean_s": "period, mean [s]",
    "period_p99_s": "period, 99 % [s]",
    "plan_ms_p50": "planning, median [ms]",
    "plan_ms_p99": "planning, 99 % [ms]",
    "adapt_ms_p50": "adapting, median [ms]",
    "safety_events": "safety events",
    "first_command_s": "start to first command [s]",
    "peak_rss_mb": "resident memory, whole graph [MB]",
}


def write_report(
    folder: Path, scenario: Mapping[str, str], process: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Write report.json, report.html and the pictures; return the content of report.json.

    Results in an earlier report are kept.

    Args:
        folder: of the recordings and the report.
        scenario: what the runs have in common (fault, path, terrain, ...).
        process: by method, what only the supervisor knows (start-up time, memory).
    """
    runs = {path.stem: read_run(path) for path in sorted(folder.glob("*.mcap"))}
    if not runs:
        raise UserError(f"{folder}: no recordings (*.mcap) to report on")
    earlier = _earlier(folder / "report.json")
    scenario = {**earlier.get("config", {}), **scenario}
    fault_at = _fault_second(scenario.get("fault", ""))
    known = earlier.get("results", {}).get("methods", {})
    goal = scenario.get("robot", ""), scenario.get("task", "")
    methods = {
        name: {
            **known.get(name, {}),
            **run.figures(fault_at),
            **task_figures(folder / f"{name}.mcap", *goal, fault_at),
            **process.get(name, {}),
        }
        for name, run in sorted(runs.items(), key=_unadapted_first)
    }
    report = {
        "command": "launch adapt",
        "version": __version__,
        "config": scenario,
        "machine": {"system": platform.platform(), "cores": os.cpu_count()},
        "results": {"methods": methods},
    }
    partial = folder / "report.json.partial"
    partial.write_text(json.dumps(report, indent=2))
    os.replace(partial, folder / "report.json")
    ordered = {name: runs[name] for name in methods}
    followed = {name: run for name, run in ordered.items() if len(run.cross_track)}
    if followed:
        draw_paths(folder / "paths.png", followed, fault_at)
    draw_errors(folder / "cross_track.png", ordered, fault_at)
    _page(folder, scenario, methods, bool(followed))
    return report


def shown(methods: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """Return a row for every figure that a method has: its meaning, and its text by method."""
    return [
        [label, *(_text(figures.get(key)) for figures in methods.values())]
        for key, label in SHOWN.items()
        if any(figures.get(key) is not None for figures in methods.values())
    ]


def _page(
    folder: Path, scenario: Mapping[str, str], methods: Mapping[str, Any], paths: bool
) -> None:
    rows = shown(methods)
    what = ", ".join(f"{key} {value}" for key, value in scenario.items() if value)
    sections: list[Section] = [
        ("Over time", [Image(folder / "cross_track.png")]),
        ("Figures", [Table(["", *methods], rows)]),
    ]
    if paths:
        image = Image(folder / "paths.png", "Dotted: the path to follow.")
        sections.insert(0, ("Paths", [image]))
    first, blocks = sections[0]
    sections[0] = first, [what, *blocks]
    write_page(folder / "report.html", "A robot that changes as it goes", sections)


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


def _unadapted_first(item: tuple[str, RecordedRun]) -> tuple[bool, str]:
    return item[0] != "mb", item[0]


def _fault_second(fault: str) -> float | None:
    return float(fault.partition("@")[2]) if fault else None


def _earlier(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, (int, str)) else f"{value:.4g}"


def main() -> None:
    """Make the report of a folder again. Exit status 2 if there is nothing in it."""
    if len(sys.argv) < 2:
        sys.exit("expected a folder of recordings")
    try:
        write_report(Path(sys.argv[1]), dict(word.split(":=", 1) for word in sys.argv[2:]), {})
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
