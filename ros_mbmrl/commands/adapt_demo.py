"""`make adapt`: the whole graph twice, with a leg lost half way; without and with adaptation."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from ros_mbmrl.commands import launch
from ros_mbmrl.errors import RunError, UserError


@dataclass(frozen=True)
class Demo:
    """Run `mbmrl launch adapt` once for each method and report on both."""

    report: Path = Path("runs/adapt")
    """Folder of the report, the pictures and the recordings."""
    methods: tuple[str, ...] = ("mb", "bayes_context_ll")
    """Methods; the first is the one to compare with."""
    duration: float = 40.0
    """Length of each run [s]."""
    fault: str = "leg_left_middle"
    """Fault that begins half way."""
    noise: float = 0.1
    """Noise as a share of the real robot's: little, so that a run shows the fault, not chance."""
    path: str = "figure8"
    """Path to follow."""
    seed: int = 1
    """Seed of all runs."""


def main() -> None:
    """Run the demo. Exit status 2 for bad input, 1 for a failed run."""
    demo = tyro.cli(Demo, prog="adapt_demo")
    # A domain of its own: other graphs on this machine are neither seen nor disturbed.
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    for name in ("report.json", *(f"{method}.mcap" for method in demo.methods)):
        (demo.report / name).unlink(missing_ok=True)  # of an earlier run; others are not touched
    try:
        runs = [launch.drive("adapt", _words(demo, method))[1] for method in demo.methods]
        launch.report([run for run in runs if run is not None])
    except (UserError, RunError) as error:
        print(f"adapt: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, UserError) else 1)


def _words(demo: Demo, method: str) -> list[str]:
    return [
        f"method:={method}",
        f"path:={demo.path}",
        f"noise:={demo.noise:g}",
        f"fault:={demo.fault}@{demo.duration / 2:g}",
        f"duration:={demo.duration:g}",
        f"seed:={demo.seed}",
        f"report:={demo.report}",
    ]


if __name__ == "__main__":
    main()
