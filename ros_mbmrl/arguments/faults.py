"""Arguments of `mbmrl faults`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ros_mbmrl.arguments.ranges import Amount, Seconds, Seed


@dataclass(frozen=True)
class Faults:
    """Break the running graph in every way of the catalogue, and measure detection and stop."""

    robot: Positional[Annotated[str, arg(metavar="[ROBOT]")]] = "hexapod"
    """hexapod; or the file of a robot, which is tried on its own topics: --plant topics."""
    plant: str = "twin"
    """twin, or topics: the campaign plays the robot of a file on them, whole and broken."""
    model: Path | None = None
    """Model that drives a robot on its topics; without one a gamepad does, or chance."""
    robot_timeout: Seconds = 0.2
    """Time without a command after which the robot that is played stops by itself; 0: never."""
    out: Path = Path("runs/faults")
    """Folder of the table, the picture and the recordings."""
    graphs: tuple[str, ...] = (
        *("twin", "processes", "pty", "ros_time", "composed", "launch", "physics", "gamepad"),
        "start",
    )
    """twin (topics and machine), processes, pty (over the emulated radio), ros_time (the same while
    ROS time stands still), composed (the same with adaptive and safety in one process), launch,
    physics, gamepad, start.
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
