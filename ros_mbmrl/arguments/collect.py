"""Arguments of `mbmrl collect`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ros_mbmrl.arguments.ranges import Amount, Number, Seed


@dataclass(frozen=True)
class Collect:
    """Drive a robot or its twin, at random or by hand, and record it: episodes with tags.

    The safety monitor checks every command. In a terminal, keys start, stop and discard episodes.
    """

    robot: Positional[Annotated[str, arg(metavar="ROBOT")]]
    """hexapod, or another robot that is installed."""
    plant: str = "twin"
    """The plant to drive: the twin, or the robot itself."""
    port: str = ""
    """Port of the robot: a serial device, or the URL of its rosbridge."""
    mocap: str = ""
    """Topic of the robot's pose (geometry_msgs/PoseStamped), if it needs one; requires rclpy."""
    hardware: tuple[str, ...] = ()
    """The robot's own settings, NAME=VALUE, for example dialect=roach."""
    source: str = "random"
    """Driver at the start: random, keyboard or joystick."""
    joystick: Path | None = None
    """The joystick's device, for example /dev/input/js0; its dead-man button must be held."""
    joystick_still_timeout: Number = 5.0
    """Seconds without any change after which the sticks do not count: it may be out of range."""
    tags: tuple[str, ...] = ()
    """Names of the terrains for the keys 1 to 9; default: the twin's own."""
    duration: Amount = 0.0
    """Seconds of control after which the run ends; 0: until Ctrl-C."""
    episode_seconds: Amount = 30.0
    """Length of an episode [s]; 0: until it is stopped."""
    scale: Number = 0.5
    """Part of the command's range that keys and sticks reach."""
    terrain: str = ""
    """Terrain of the twin; default: carpet, or flat, depending on the robot."""
    noise: Amount = 1.0
    """Noise of the twin, as a share of the real robot's."""
    fault: str = ""
    """Fault of the twin, NAME@SECONDS."""
    viewer: bool = False
    """Show the twin in a window."""
    out: Path = Path("runs/recordings")
    """Folder of the recording, which is called <robot>-<time>.mcap."""
    seed: Seed = 0
    """Seed of the random policy and of the twin."""
    json: Path | None = None
    """Write the results to this file."""
