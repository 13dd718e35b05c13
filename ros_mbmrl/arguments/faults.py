"""Arguments of `mbmrl faults`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ros_mbmrl.arguments.ranges import Amount, Seed


@dataclass(frozen=True)
class Faults:
    """Breaks the running graph in every way of the catalogue: what happened, and how fast."""

    out: Path = Path("runs/faults")
    """Folder of the table, the picture and the recordings."""
    graphs: tuple[str, ...] = (
        *("twin", "processes", "pty", "ros_time", "launch", "physics", "gamepad", "start"),
    )
    """twin (topics and machine), processes, pty (over the emulated radio), ros_time (the same while
    ROS time stands still), launch, physics, gamepad, start."""
    only: str = ""
    """Only faults whose name holds this text, as 'odom' or 'SIGKILL'."""
    noise: Amount = 0.1
    """The twin's, as a share of the real robot's."""
    list: bool = False
    """Say what there is, and end."""
    seed: Seed = 0
    """Seed of everything random."""
    json: Path | None = None
    """Write the results to this file."""
