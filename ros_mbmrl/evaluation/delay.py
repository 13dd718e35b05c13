"""Cost of a delay, with and without compensation, in closed loop on the hexapod's twin.

Every command acts late by 0 to 200 ms; the loop is told by how much, or not. Same robots, paths and
seeds for both. `python -m ros_mbmrl.evaluation.delay --out DIR`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.episodes.hexapod import pin_threads, run_episode
from ros_mbmrl.episodes.scenario import Scenario
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.runtime.workers import begin_worker
from ros_mbmrl.share import find
from ros_mbmrl.simulation.randomisation import QUIET

PATHS = ("figure8", "zigzag")
Row = dict[str, Any]


@dataclass(frozen=True)
class Config:
    """Closed loop with injected delays, with and without compensation."""

    out: Path
    """folder of delay.json and delay.png"""
    methods: tuple[str, ...] = ("mb", "bayes_context_ll")
    """shipped models of the hexapod"""
    delays: tuple[float, ...] = (0.0, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2)
    """injected, in addition to the twin's own [s]"""
    seeds: int = 5
    """robots per path"""
    first_seed: int = 0
    """seed of the first"""
    duration: float = 12.0
    """of an episode [s]"""
    workers: int = 2
    """processes"""

    def __post_init__(self) -> None:
        if self.seeds < 1 or self.workers < 1:
            raise UserError("seeds, workers: expected at least 1")
        if not all(0 <= delay <= 0.5 for delay in self.delays):
            raise UserError(f"delays: expected 0 to 0.5 s, got {self.delays}")
        for method in self.methods:
            if find(f"models/hexapod/{method}") is None:
                raise UserError(f"no shipped model for method '{method}'")


def episode(method: str, delay: float, told: bool, seed: int, path: str, duration: float) -> Row:
    """Run one episode of a robot drawn for this seed and path, with little noise and no fault."""
    robot = make_robot("hexapod")
    folder = find(f"models/hexapod/{method}")
    assert folder is not None
    drawn = QUIET.sample(np.random.default_rng([seed, *path.encode()]))
    physics = replace(drawn, latency=drawn.latency + delay)
    scenario = Scenario(path, physics=physics, duration=duration, seed=seed)
    run = run_episode(robot, load_model(folder, robot), scenario, delay=delay if told else 0.0)
    error = run.summary()["cross_track_mean_m"]
    return {"method": method, "delay_s": delay, "compensated": told, "seed": seed, "path": path,
            "cross_track_mean_m": error}  # fmt: skip


def table(rows: Sequence[Row]) -> list[Row]:
    """Return the mean cross-track per method and delay, without and with compensation.

    worse: ratio of each to the same method's without any delay.
    """
    out: list[Row] = []
    for method, delay in dict.fromkeys((row["method"], row["delay_s"]) for row in rows):
        means = [_mean(rows, method, delay, told) for told in (False, True)]
        none = _mean(rows, method, 0.0, False)
        out.append(
            {
                "method": method,
                "delay_s": delay,
                "without_m": means[0],
                "with_m": means[1],
                "ratio": means[1] / means[0],
                "worse_without": means[0] / none,
                "worse_with": means[1] / none,
            }
        )
    return out


def _mean(rows: Sequence[Row], method: str, delay: float, told: bool) -> float:
    wanted = (method, delay, told)
    return float(
        np.mean(
            [
                row["cross_track_mean_m"]
                for row in rows
                if (row["method"], row["delay_s"], row["compensated"]) == wanted
            ]
            or [np.nan]
        )
    )


def draw(png: Path, means: Sequence[Row]) -> None:
    """Draw cross-track against the delay."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(7, 4.2))
    for k, method in enumerate(dict.fromkeys(row["method"] for row in means)):
        own = [row for row in means if row["method"] == method]
        delays = [1e3 * row["delay_s"] for row in own]
        for key, style, told in (("without_m", ":", "as if there were none"), ("with_m", "-", "")):
            label = f"{method}, {told}" if told else method
            axis.plot(delays, [100 * r[key] for r in own], f"C{k}{style}", marker=".", label=label)
    axis.set_xlabel("delay of every command [ms]")
    axis.set_ylabel("mean distance from the path [cm]")
    axis.set_ylim(bottom=0)
    axis.legend()
    figure.tight_layout()
    figure.savefig(png, dpi=110)
    plt.close(figure)


def run(config: Config) -> list[Row]:
    """Run all episodes, print the table, write delay.json and delay.png."""
    config.out.mkdir(parents=True, exist_ok=True)
    seeds = range(config.first_seed, config.first_seed + config.seeds)
    jobs = list(product(config.methods, config.delays, (False, True), seeds, PATHS))
    with ProcessPoolExecutor(config.workers, get_context("spawn"), initializer=_begin) as pool:
        futures = [pool.submit(episode, *job, config.duration) for job in jobs]
        rows = []
        for k, future in enumerate(futures, 1):
            rows.append(future.result())
            if k % 20 == 0 or k == len(jobs):
                print(f"episodes: {k}/{len(jobs)}", flush=True)
    means = table(rows)
    for row in means:
        print("{method:18s} {delay_s:5.3f} s: {without_m:.4f} m without, {with_m:.4f} m with "
              "compensation, ratio {ratio:.2f}".format(**row))  # fmt: skip
    (config.out / "delay.json").write_text(json.dumps({"table": means, "rows": rows}, indent=1))
    draw(config.out / "delay.png", means)
    return means


def _begin() -> None:
    pin_threads()
    begin_worker()


def main() -> None:
    """Print the table. Exit status 2 for bad input."""
    try:
        run(tyro.cli(Config, prog="delay"))
    except UserError as error:
        print(f"delay: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
