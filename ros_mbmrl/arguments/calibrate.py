"""Arguments of `mbmrl calibrate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ros_mbmrl.arguments.ranges import Count, Natural, Seed, Share, Workers


@dataclass(frozen=True)
class Calibrate:
    """Fit the twin to the real robot's logs, and compare both, terrain by terrain."""

    robot: Positional[Annotated[str, arg(metavar="ROBOT")]]
    """hexapod."""
    data: tuple[Path, ...]
    """Data sets (folders) of the real robot, with runs on every terrain."""
    out: Path = Path("runs/calibration/hexapod.yaml")
    """The calibration file to write; the one in use is sim/hexapod.yaml."""
    start: Path | None = None
    """Calibration file to start the search from; default: the shipped one."""
    iterations: Natural = 14
    """Points that the search may try; 0 only compares the start with the robot."""
    runs: Count = 30
    """Runs per terrain that are replayed in the search; the comparison replays all."""
    untouched: Share = 0.2
    """Share of the sessions that are not used at all: the same as in `mbmrl train`."""
    pictures: Path | None = Path("runs/calibration")
    """Folder for the pictures."""
    seed: Seed = 0
    """Seed of all random numbers."""
    workers: Workers = 2
    """Processes that simulate."""
    json: Path | None = None
    """Write the results to this file."""
