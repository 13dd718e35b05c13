"""Arguments of `mbmrl calibrate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from ros_mbmrl.arguments.ranges import Count, Natural, Seed, Share, Workers


@dataclass(frozen=True)
class Calibrate:
    """Fit the twin to the real robot's logs, and lay both side by side, terrain by terrain."""

    robot: Positional[str]
    """hexapod."""
    data: tuple[Path, ...]
    """Data sets (folders) of the real robot, with runs on every terrain."""
    out: Path = Path("runs/calibration/hexapod.yaml")
    """The calibration file to write; the one that is used is sim/hexapod.yaml."""
    start: Path | None = None
    """Calibration file to search from; the shipped one by default."""
    iterations: Natural = 14
    """Points that the search may try; 0 only compares the start with the robot."""
    runs: Count = 30
    """Runs a terrain that are replayed in the search; the comparison replays all."""
    untouched: Share = 0.2
    """Share of the sessions left alone altogether: the same as in `mbmrl train`."""
    pictures: Path | None = Path("runs/calibration")
    """Folder for the pictures."""
    seed: Seed = 0
    """Seed of everything random."""
    workers: Workers = 2
    """Processes that simulate."""
    json: Path | None = None
    """Write the results to this file."""
