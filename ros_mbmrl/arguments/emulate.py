"""Arguments of `mbmrl emulate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from ros_mbmrl.arguments.ranges import Number, Port, Seconds, Seed, Share


@dataclass(frozen=True)
class Emulate:
    """The robot's side of the wire in front of its twin. Ends with Ctrl-C or after `duration`."""

    kind: Positional[str]
    """velociroach (a serial port) or rosbridge (a web socket)."""
    seed: Seed = 0
    """Seed of everything random."""
    duration: Seconds = 0.0
    """Seconds after which it ends; 0: with Ctrl-C."""
    port: Port = 9090
    """rosbridge: where it listens."""
    terrain: str = "carpet"
    """velociroach: the twin's ground."""
    path: str = ""
    """velociroach: the robot is put at the start of this path."""
    noise: Number = 1.0
    """velociroach: the twin's, as a share of the real robot's."""
    fault: tuple[str, ...] = ()
    """velociroach: NAME@SECONDS, faults of the twin or of the line; none@SECONDS mends the line."""
    control: bool = False
    """velociroach: each line on standard input names the faults that are there from then on (none:
    none), and `driven 0|1 TIME` is printed when the legs are to rest or to turn."""
    bit_error_rate: Share = 1e-4
    """velociroach: what the fault bit_errors does to every bit."""
    link: Path | None = None
    """velociroach: a symbolic link to the serial port, kept when the port is plugged in again."""
    mocap_topic: str = "/mocap/hexapod/pose"
    """velociroach: where its pose is published, if there is ROS."""
    json: Path | None = None
    """Write the results to this file."""
