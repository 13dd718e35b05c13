"""Closed-loop cost against planning time, planner by planner.

`python -m ros_mbmrl.evaluation.planner_curve` runs a frozen list of planners and settings over the
same episodes and compares each with plain MPPI of 1000 candidates and 10 steps. Finished episodes
are in OUT/rows.jsonl and are never run again.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import tyro

from ros_mbmrl import __version__
from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.episodes import arm
from ros_mbmrl.episodes.hexapod import run_episode, settings
from ros_mbmrl.errors import RunError, UserError, choose
from ros_mbmrl.evaluation import campaign
from ros_mbmrl.evaluation.experiments import Cell, cells, make_experiment
from ros_mbmrl.evaluation.planner_settings import FINE, REFERENCE, SETTINGS, Setting
from ros_mbmrl.evaluation.plots import COLOURS, panels, save
from ros_mbmrl.evaluation.statistics import bootstrap, unique
from ros_mbmrl.planning import make_planner
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.share import find
from ros_mbmrl.simulation.pr2_faults import ArmFault

Row = dict[str, Any]

MARGIN = 0.02  # difference of the cost that does not count, as a share
ARM = "pr2-arm"  # beside the hexapod's experiments
ARM_FAULTS = ("none", "payload", "weak_shoulder_lift", "weak_elbow")
# Figures of merit of a row: (key, unit), lower is better; the first one decides.
FIGURES: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "hexapod": (("cost", "1"), ("cross_track_mean_m", "m")),
        arm.ROBOT: (("cost", "m"), ("final_m", "m")),
    }
)


@dataclass(frozen=True)
class Curve:
    """Closed-loop cost against operations and milliseconds of a plan."""

    experiment: str = "hexapod-validation"
    """hexapod-validation for choices, hexapod-ood-quiet for reports, or pr2-arm."""
    method: str = "bayes_context"
    """The shipped model with which all of them plan."""
    seeds: int = 5
    """Seeds of every condition and path."""
    first_seed: int = 0
    """First seed of the episodes."""
    duration: float = 0.0
    """Length of each episode [s]; 0: 20, or 8 for the arm."""
    out: Path = Path("runs/planner_curve")
    """Folder of rows, table and picture."""
    json: Path | None = None
    """Write the table's rows to this file, too."""
    workers: int = 2
    """Processes; with more than there are idle cores the milliseconds have no meaning."""
    settings: tuple[str, ...] = ()
    """Some settings by name; default: all. The reference always takes part."""


@dataclass(frozen=True)
class Job:
    """One episode with one setting. what: a cell of an experiment, or fault and seed of the arm."""

    folder: Path
    digest: str
    robot: str
    method: str
    setting: Setting
    what: Cell | tuple[str, int, float]

    @property
    def key(self) -> str:
        """Return a hash of everything that decides the outcome."""
        what = asdict(self.what) if isinstance(self.what, Cell) else self.what
        facts = [__version__, self.digest, self.robot, self.method, asdict(self.setting), what]
        text = json.dumps([*facts, settings()], sort_keys=True, default=sorted)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def run_job(job: Job) -> tuple[str, Row]:
    """Run one episode; return its key and its row."""
    robot = make_robot(job.robot)
    loaded = load_model(job.folder, robot)
    setting = job.setting
    row: Row = {
        "robot": job.robot,
        "setting": setting.name,
        "family": setting.family,
        "operations": setting.operations(loaded.model.mlp.sizes),
    }
    if isinstance(job.what, Cell):
        scenario = job.what.scenario
        episode = run_episode(
            robot, loaded, scenario, job.method, setting.planner, setting.overrides
        )
        summary = episode.summary(job.what.after)
        row |= {"condition": job.what.condition, "path": scenario.path, "seed": scenario.seed}
        row |= {**summary, "cost": -summary["return"]}
    else:
        fault, seed, duration = job.what
        told = {**dict(FINE), **setting.overrides}
        reaching = arm.Reaching(seed, ArmFault(fault), duration=duration)
        reached = arm.run_reach(robot, loaded, reaching, job.method, told, setting.planner)
        row |= {"condition": fault, "path": "reach", "seed": seed, **reached.summary()}
        row["cost"] = float(reached.distances.max(axis=1).mean())
        del row["reached_s"]  # infinite if it was not reached, which JSON cannot represent
    return job.key, row


def run(curve: Curve) -> list[Row]:
    """Return a row for every setting and episode. Raises UserError."""
    jobs = make_jobs(curve)
    known = campaign.finish(jobs, run_job, curve.out, curve.workers)
    return [known[job.key] for job in jobs]


def make_jobs(curve: Curve) -> list[Job]:
    """Return a job for every setting on every episode. Raises UserError."""
    robot = arm.ROBOT if curve.experiment == ARM else make_experiment(curve.experiment).robot
    if curve.workers < 1:
        raise UserError(f"workers: expected at least 1, got {curve.workers}")
    folder = find(f"models/{robot}/{curve.method}")
    if folder is None:
        raise UserError(f"no model for method '{curve.method}': expected models/{robot}")
    entrant = campaign.enter(curve.method, folder, robot)
    whats: Sequence[Cell | tuple[str, int, float]]
    if curve.experiment == ARM:
        duration = curve.duration or 8.0
        if curve.seeds < 1 or curve.first_seed < 0 or not duration >= arm.SETTLED:
            raise UserError(f"expected seeds >= 1, first seed >= 0 and {arm.SETTLED:g} s or more")
        seeds = range(curve.first_seed, curve.first_seed + curve.seeds)
        whats = [(fault, seed, duration) for seed in seeds for fault in ARM_FAULTS]
    else:
        experiment = make_experiment(curve.experiment)
        whats = cells(experiment, curve.seeds, curve.first_seed, curve.duration or 20.0)
    for name in curve.settings:
        choose("setting", name, [setting.name for setting in SETTINGS])
    wanted = {REFERENCE.name, *(curve.settings or [setting.name for setting in SETTINGS])}
    chosen = [setting for setting in SETTINGS if setting.name in wanted]
    for setting in chosen:
        make_planner(setting.planner, make_robot(robot).spec, **setting.overrides)
    return [
        Job(folder, entrant.digest, robot, curve.method, setting, what)
        for what in whats
        for setting in chosen
    ]


def summarise(rows: Sequence[Row], rng: np.random.Generator) -> list[Row]:
    """Return a row for each setting, cheapest first, each paired with the reference.

    operations_ratio and plan_ms_p50; every figure of merit, its mean and its ratio to the
    reference's with the 95 % interval of the paired ratio of means. as_good: the whole interval of
    the first figure is below 1 + MARGIN.
    """
    base = _of(rows, REFERENCE.name)
    result = []
    for name in unique(rows, "setting"):
        own = _of(rows, name)
        line: Row = {
            "setting": name,
            "family": own[0]["family"],
            "n": len(own),
            "operations": own[0]["operations"],
            "operations_ratio": own[0]["operations"] / base[0]["operations"],
            "plan_ms_p50": float(np.median([row["plan_ms_p50"] for row in own])),
            "safety_stops": sum(row["safety_stops"] for row in own),
        }
        for figure, _ in FIGURES[own[0]["robot"]]:
            mine, theirs = _figures(own, figure), _figures(base, figure)
            line[figure] = float(mine.mean())
            line[f"{figure}_ratio"] = float(mine.mean() / theirs.mean())
            line[f"{figure}_interval"] = bootstrap(mine, rng, theirs)
        interval = line["cost_interval"]
        line["as_good"] = None if interval is None else interval[1] <= 1 + MARGIN
        result.append(line)
    return sorted(result, key=lambda line: float(line["operations"]))


def table(summary: Sequence[Row], robot: str) -> str:
    """Return a table in Markdown, a line for each setting."""
    figures = FIGURES[robot]
    heads = [f"{name} [{unit}] | over reference" for name, unit in figures]
    lines = [
        f"| setting | operations | ms | {' | '.join(heads)} | stops |",
        "|---|---|---|" + "---|---|" * len(figures) + "---|",
    ]
    for row in summary:
        cells_of = [row["setting"], f"{row['operations_ratio']:.3f}", f"{row['plan_ms_p50']:.1f}"]
        for name, _ in figures:
            low_high = row[f"{name}_interval"]
            interval = "" if low_high is None else f" ({low_high[0]:.3f} to {low_high[1]:.3f})"
            cells_of += [f"{row[name]:.4g}", f"{row[f'{name}_ratio']:.3f}{interval}"]
        lines.append(f"| {' | '.join([*cells_of, str(row['safety_stops'])])} |")
    return "\n".join(lines)


def plot(summary: Sequence[Row], robot: str, file: Path) -> None:
    """Draw cost over the reference's against milliseconds of a plan, a colour for each family."""
    figure, (axes,) = panels(1, 7.0, 4.5)
    for k, family in enumerate(unique(summary, "family")):
        own = [row for row in summary if row["family"] == family]
        x, y = ([row[key] for row in own] for key in ("plan_ms_p50", "cost_ratio"))
        bars = [_reach_of(row) for row in own]
        axes.errorbar(
            x, y, yerr=np.array(bars).T, fmt="o", color=COLOURS[k % len(COLOURS)], label=family
        )
        for row in own:
            size = row["setting"].removeprefix(family + " ")
            axes.annotate(size, (row["plan_ms_p50"], row["cost_ratio"]), fontsize=6)
    axes.axhline(1.0, color="k", linewidth=0.8, linestyle=":")
    axes.set_xscale("log")
    axes.set_xlabel("a plan, median [ms]")
    axes.set_ylabel(f"closed-loop cost over that of {REFERENCE.name}")
    axes.set_title(robot)
    axes.legend(fontsize="small")
    save(figure, file)


def _reach_of(row: Row) -> tuple[float, float]:
    """Return how far the interval reaches below and above the ratio."""
    ratio, interval = row["cost_ratio"], row["cost_interval"]
    return (0.0, 0.0) if interval is None else (ratio - interval[0], interval[1] - ratio)


def _of(rows: Sequence[Row], setting: str) -> list[Row]:
    own = [row for row in rows if row["setting"] == setting]
    return sorted(own, key=lambda row: (row["condition"], row["path"], row["seed"]))


def _figures(rows: Sequence[Row], name: str) -> Array:
    """Return the figures (1, C): one training seed, an episode in each column."""
    return np.array([[float(row[name]) for row in rows]])


def main() -> None:
    """Print the table; exit status 2 for bad input, 1 for a failed run."""
    curve = tyro.cli(Curve, prog="planner_curve")
    try:
        rows = run(curve)
    except (UserError, RunError) as error:
        print(f"planner_curve: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, UserError) else 1)
    robot = rows[0]["robot"]
    summary = summarise(rows, np.random.default_rng(0))
    text = table(summary, robot)
    (curve.out / f"{curve.experiment}.md").write_text(text + "\n")
    plot(summary, robot, curve.out / f"{curve.experiment}.png")
    if curve.json is not None:
        curve.json.parent.mkdir(parents=True, exist_ok=True)
        curve.json.write_text(json.dumps({"experiment": curve.experiment, "rows": summary}))
    print(text)


if __name__ == "__main__":
    main()
