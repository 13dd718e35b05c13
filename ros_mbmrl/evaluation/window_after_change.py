"""Windows of several lengths after a change, on the hexapod's twin at the real robot's noise.

Random commands; the fault begins in the middle of a run. Settings of each method and window are
chosen by evidence on the faults of `hexapod-validation`, and judged on those of `hexapod-ood`, by
the time since the change. `python -m ros_mbmrl.evaluation.window_after_change --out DIR`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import tyro
from rich.progress import track

from ros_mbmrl.adaptation.guard import make_guard
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel, load_model
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.evaluation import score_summary, tables
from ros_mbmrl.evaluation.windows import GRIDS, REST, Groups, Judge, choose_settings, rows_of
from ros_mbmrl.learning.twin_rollouts import collect_rollouts
from ros_mbmrl.robots import make_robot
from ros_mbmrl.share import find
from ros_mbmrl.simulation.faults import VALIDATION_FAULTS, Fault
from ros_mbmrl.simulation.randomisation import LOUD

TEST = ("leg_left_middle", "weak_left", "payload", "yaw_offset", "slope")
VALIDATION = (*VALIDATION_FAULTS, "yaw_offset_small", "slope_small", "payload_small")
BEFORE, AFTER = 128, 144  # transitions before and after the change
SINCE = (0, 16, 32, 64, 128)  # bounds of the groups, transitions since the change
AHEAD = 16


@dataclass(frozen=True)
class Config:
    """Prediction after a change on the twin at real noise, by window."""

    out: Path
    """folder of window_after_change.json"""
    windows: tuple[int, ...] = (16, 32, 64, 128)
    """transitions to adapt on"""
    methods: tuple[str, ...] = ("residual", "kalman_last_layer")
    """update rules to compare"""
    runs: int = 8
    """of each fault that is judged"""
    validation_runs: int = 4
    """of each fault that settings are chosen on"""
    seed: int = 0
    """of the twins"""
    workers: int = 2
    """processes"""

    def __post_init__(self) -> None:
        if min(self.runs, self.validation_runs, self.workers) < 1:
            raise UserError("runs, validation_runs, workers: expected at least 1")
        if not self.windows or not all(1 <= window <= BEFORE for window in self.windows):
            raise UserError(f"windows: expected 1 to {BEFORE}, got {self.windows}")
        for method in self.methods:
            choose("method to compare windows of", method, GRIDS)


def changing(config: Config, faults: Sequence[str], runs: int, seed: int) -> list[Rollout]:
    """Return runs in which each fault begins after BEFORE transitions; those cut short are out."""
    robot = make_robot("hexapod")
    steps, onset = BEFORE + AFTER, BEFORE * robot.spec.period
    rollouts = collect_rollouts(
        robot,
        runs * len(faults),
        steps,
        randomisation=LOUD,
        seed=seed,
        processes=config.workers,
        faults=[Fault(name, onset if name != "none" else 0.0) for name in faults],
    )
    return [rollout for rollout in rollouts if len(rollout) == steps]


def since_change(judge: Judge) -> Groups:
    """Return the stretches by what is broken: nothing, or something since when."""
    broken = [tags["fault"] != "none" for tags in judge.tags]
    age = judge.places - BEFORE
    groups = {
        f"{low} to {high - 1}": broken & (age >= low) & (age < high)
        for low, high in zip(SINCE, SINCE[1:], strict=False)
    }
    return {**groups, "nothing changed": ~(broken & (age >= 0))}


def run(config: Config) -> list[dict[str, Any]]:
    """Collect, choose, judge; print the table and write window_after_change.json."""
    torch.set_num_threads(1)
    folder = find("models/hexapod/mb")
    assert folder is not None
    loaded: LoadedModel = load_model(folder, make_robot("hexapod"))
    chosen_on = changing(config, VALIDATION, config.validation_runs, config.seed)
    judged = changing(config, (*TEST, "none"), config.runs, config.seed + 1)
    judges = [Judge(loaded, each, BEFORE, AHEAD, AHEAD // 2) for each in (chosen_on, judged)]
    total = len(config.methods) * (len(config.windows) + 1)
    settings = choose_settings(judges[0], config.methods, config.windows)
    # The rest of a run with a change in it is no bound.
    chosen = [pair for pair in track(settings, "settings", total) if pair[0].window != REST]
    guard, groups = make_guard(loaded).config, since_change(judges[1])
    rows = rows_of(judges[1], track(chosen, "windows"), groups, guard)
    tables.wide_console().print(tables.printed(score_summary.windows(rows, "periods since")))
    config.out.mkdir(parents=True, exist_ok=True)
    (config.out / "window_after_change.json").write_text(json.dumps({"rows": rows}, indent=1))
    return rows


def main() -> None:
    """Print the table. Exit status 2 for bad input."""
    try:
        run(tyro.cli(Config, prog="window_after_change"))
    except UserError as error:
        print(f"window_after_change: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
