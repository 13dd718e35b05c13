"""Comparison of methods on the PR2's arm: distance of the tool's points from their goals.

`python -m ros_mbmrl.evaluation.reach` compares methods over the same goals, arms and faults.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro

from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.episodes.arm import REACHED, ROBOT, SETTLED, Reaching, run_reach
from ros_mbmrl.errors import UserError
from ros_mbmrl.methods import about
from ros_mbmrl.robots import make_robot
from ros_mbmrl.share import find
from ros_mbmrl.simulation.pr2_faults import ArmFault


@dataclass(frozen=True)
class Compare:
    """Compare methods over the same goals: medians of the largest of three final distances."""

    methods: tuple[str, ...] = ("mb", "grbal", "bayes_context", "bayes_context_de")
    """Methods; the first is the one to compare with."""
    faults: tuple[str, ...] = ("none", "payload", "weak_shoulder_lift", "weak_elbow", "push")
    """Faults, present from the start."""
    seeds: int = 10
    """Number of goals, each with its own start."""
    first_seed: int = 0
    """First seed of the goals."""
    duration: float = 8.0
    """Length of each episode [s]."""
    models: Path | None = None
    """Folder of the models, one folder each; default: models/pr2_arm."""


def compare(arguments: Compare) -> list[dict[str, Any]]:
    """Return a row for every method, fault and seed. Raises UserError."""
    if arguments.seeds < 1 or arguments.first_seed < 0 or not arguments.duration >= SETTLED:
        raise UserError(f"expected seeds >= 1, first seed >= 0 and {SETTLED:g} s or more")
    faults = [ArmFault(name) for name in arguments.faults]
    torch.set_num_threads(1)
    robot = make_robot(ROBOT)
    rows: list[dict[str, Any]] = []
    for method in arguments.methods:
        loaded = load_model(_folder(arguments.models, method), robot)
        for fault in faults:
            for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
                what = Reaching(seed, fault, duration=arguments.duration)
                reached = run_reach(robot, loaded, what, method)
                named = {"method": method, "fault": fault.name, "seed": seed}
                rows.append({**named, **reached.summary()})
    return rows


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a table in Markdown: median final distance, number of runs within 3 cm."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    lines = [f"| fault | {' | '.join(methods)} |", "|---|" + "---|" * len(methods)]
    for fault in dict.fromkeys(row["fault"] for row in rows):
        cells = [fault]
        for method in methods:
            mine = [r for r in rows if r["method"] == method and r["fault"] == fault]
            final = np.array([row["final_m"] for row in mine])
            within = int((final < REACHED).sum())
            cells.append(f"{1e3 * np.median(final):.1f} mm ({within}/{len(final)})")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _folder(models: Path | None, method: str) -> Path:
    """Return the folder of the method's model: its own, or one that it can run on."""
    if models is not None:
        own = models / method
        return own if own.is_dir() else models / about(method).trained_as
    name = f"models/{ROBOT}/{method}"
    found = find(name) or find(f"models/{ROBOT}/{about(method).trained_as}")
    if found is None:
        raise UserError(f"no model for method '{method}': expected {name}")
    return found


def main() -> None:
    """Print the table."""
    try:
        print(table(compare(tyro.cli(Compare, prog="reach"))))
    except UserError as error:
        print(f"reach: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
