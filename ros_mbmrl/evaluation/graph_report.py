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

from ros_mbmrl import __version__
from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.evaluation.graph_film import FAST, film_runs
from ros_mbmrl.evaluation.graph_plots import draw_errors, draw_paths
from ros_mbmrl.evaluation.html import Block, Image, Section, Table, write_page
from ros_mbmrl.evaluation.recorded_run import RecordedRun, read_run
from ros_mbmrl.evaluation.sentence import sentence
from ros_mbmrl.evaluation.task_figures import task_figures

PAGE = "report.html"
SHOWN = {
    "cross_track_before_fault_m": "cross-track before the fault [cm]",
    "cross_track_after_fault_m": "cross-track after the fault [cm]",
    "cross_track_max_m": "largest cross-track [cm]",
    "return": "return",
    "speed_before_fault_m_s": "speed before the fault [m/s]",
    "speed_after_fault_m_s": "speed after the fault [m/s]",
    "distance_before_fault_m": "distance from the goal before the fault [cm]",
    "distance_after_fault_m": "distance from the goal after the fault [cm]",
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


# What a method that does not adapt has none of, whatever was recorded.
ADAPTATION = ("model_error_after", "accepted_fraction", "adapt_ms_p50")


def write_report(
    folder: Path, scenario: Mapping[str, str], process: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Write report.json, report.html, the pictures and the film; return what is in report.json.

    Results in an earlier report are kept. Where no film can be drawn, the page says why.

    Args:
        folder: of the recordings and the report.
        scenario: what the runs have in common (fault, path, terrain, ...).
        process: by method, what only the supervisor knows (start-up time, memory).

    Raises:
        UserError: there are no recordings, or one is not as the graph records it.
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
    said = sentence(methods, scenario.get("fault", ""))
    report = {
        "command": "launch adapt",
        "version": __version__,
        "config": scenario,
        "machine": {"system": platform.platform(), "cores": os.cpu_count()},
        "results": {"sentence": said, "methods": methods},
    }
    partial = folder / "report.json.partial"
    partial.write_text(json.dumps(report, indent=2))
    os.replace(partial, folder / "report.json")
    _page(folder, report, {name: runs[name] for name in methods}, fault_at)
    return report


def shown(methods: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """Return a row for every figure that a method has: its meaning, and its text by method."""
    return [
        [label, *(_text(key, figures) for figures in methods.values())]
        for key, label in SHOWN.items()
        if any(figures.get(key) is not None for figures in methods.values())
    ]


def _page(
    folder: Path,
    report: Mapping[str, Any],
    runs: Mapping[str, RecordedRun],
    fault_at: float | None,
) -> None:
    """Draw the runs, and write the page; it opens with the sentence and the film."""
    scenario, results = report["config"], report["results"]
    followed = {name: run for name, run in runs.items() if len(run.cross_track)}
    sections: list[Section] = []
    if followed:
        draw_paths(folder / "paths.png", followed, fault_at)
        image = Image(folder / "paths.png", "Dotted: the path to follow.")
        sections.append(("Paths", [image]))
    draw_errors(folder / "cross_track.png", runs, fault_at)
    sections += [
        ("Over time", [Image(folder / "cross_track.png")]),
        ("Figures", [Table(["", *results["methods"]], shown(results["methods"]))]),
    ]
    what = ", ".join(f"{key} {value}" for key, value in scenario.items() if value)
    opening: list[Block] = [results["sentence"], _film(folder, runs, scenario), what]
    write_page(folder / PAGE, "A robot that changes as it goes", sections, opening)


def _film(
    folder: Path, runs: Mapping[str, RecordedRun], scenario: Mapping[str, str]
) -> Image | str:
    """Return the film of the runs, or a line that says why there is none."""
    try:
        path = film_runs(folder, runs, scenario)
    except (RunError, UserError) as error:
        print(f"no film: {error}", flush=True)
        return f"No film: {error}"
    return Image(path, f"Drawn from the recordings, {FAST:g} times as fast as the runs.")


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


def _text(key: str, figures: Mapping[str, Any]) -> str:
    """Return a figure as the table shows it: lengths in centimetres, a dash for none."""
    value = figures.get(key)
    if value is None or (key in ADAPTATION and not figures.get("adapts", True)):
        return "-"
    if key.endswith("_m"):
        return f"{100 * value:.2f}"
    return str(value) if isinstance(value, (int, str)) else f"{value:.4g}"


def main() -> None:
    """Make the report of a folder again, and tell it. Exit status 2 if there is nothing in it."""
    if len(sys.argv) < 2:
        sys.exit("expected a folder of recordings")
    folder, told = Path(sys.argv[1]), dict(word.split(":=", 1) for word in sys.argv[2:])
    try:
        said = write_report(folder, told, {})["results"]["sentence"]
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    print(said, f"open {folder / PAGE}", sep="\n")


if __name__ == "__main__":
    main()
