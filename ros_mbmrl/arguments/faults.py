"""Arguments of `mbmrl faults`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ros_mbmrl.arguments.ranges import Amount, Seed


@dataclass(frozen=True)
class Faults:
    """Break the running graph in every way of the catalogue, and measure detection and stop."""

    out: Path = Path("runs/faults")
    """Folder of the table, the picture and the recordings."""
    graphs: tuple[str, ...] = (
        *("twin", "processes", "pty", "ros_time", "launch", "physics", "gamepad", "start"),
    )
    """twin (topics and machine), processes, pty (over the emulated radio), ros_time (the same while
    ROS time stands still), launch, physics, gamepad, start.
    """
    only: str = ""
    """Only faults whose name contains this text, for example 'odom' or 'SIGKILL'."""
    noise: Amount = 0.1
    """Noise of the twin, as a share of the real robot's."""
    list: bool = False
    """List the faults, and end."""
    seed: Seed = 0
    """Seed of all random numbers."""
    json: Path | None = None
    """Write the results to this file."""
