"""Arguments of `mbmrl emulate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ros_mbmrl.arguments.ranges import Number, Port, Seconds, Seed, Share


@dataclass(frozen=True)
class Emulate:
    """Emulate the robot's side of the wire in front of its twin, until Ctrl-C or `duration`."""

    kind: Positional[Annotated[str, arg(metavar="KIND")]]
    """velociroach (a serial port) or rosbridge (a web socket)."""
    seed: Seed = 0
    """Seed of all random numbers."""
    duration: Seconds = 0.0
    """Seconds after which it ends; 0: with Ctrl-C."""
    port: Port = 9090
    """rosbridge: port on which it listens."""
    terrain: str = "carpet"
    """velociroach: terrain of the twin."""
    path: str = ""
    """velociroach: path at whose start the robot is put."""
    noise: Number = 1.0
    """velociroach: noise of the twin, as a share of the real robot's."""
    fault: tuple[str, ...] = ()
    """velociroach: NAME@SECONDS, faults of the twin or the line; none@SECONDS repairs the line."""
    control: bool = False
    """velociroach: each line on standard input names the faults from then on (none: no fault), and
    `driven 0|1 TIME` is printed when the legs should rest or turn.
    """
    bit_error_rate: Share = 1e-4
    """velociroach: probability of an error in every bit, with the fault bit_errors."""
    link: Path | None = None
    """velociroach: a symbolic link to the serial port, kept when the port is plugged in again."""
    mocap_topic: str = "/mocap/hexapod/pose"
    """velociroach: topic on which its pose is published, if there is ROS."""
    json: Path | None = None
    """Write the results to this file."""
