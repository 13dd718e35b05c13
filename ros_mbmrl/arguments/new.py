"""Arguments of `mbmrl new`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from ros_mbmrl.arguments.ranges import Positive


@dataclass(frozen=True)
class New:
    """Write a robot's file to begin with; what no option says is asked for on a terminal."""

    what: Positional[Literal["robot"]]
    """robot: a YAML file that describes one."""
    name: Positional[Annotated[str, arg(metavar="NAME")]]
    """Its name: small letters, digits and _."""
    from_bag: Path | None = None
    """Take topics, types, joints and rates from this bag."""
    from_urdf: Path | None = None
    """Take joints and their limits from this URDF."""
    from_mjcf: Path | None = None
    """Take joints, limits and actuators from this MuJoCo model, which becomes the twin."""
    kind: Literal["planar_base", "arm"] | None = None
    """planar_base: a base on odometry; arm: joints under a controller."""
    period: Positive | None = None
    """Control period [s]."""
    state: str | None = None
    """Topic that tells where it is: the base's odometry, or the joints' states."""
    command: str | None = None
    """Topic that its commands go to."""
    command_type: str | None = None
    """Type of the commands' messages."""
    joints: tuple[str, ...] = ()
    """Names of joints, in the controller's order."""
    takes: Literal["velocity", "position", "effort"] | None = None
    """Quantity that the joints' controller takes; positions are integrated from velocities."""
    largest: tuple[Positive, ...] = ()
    """Largest commands: a base's speed [m/s] and yaw rate [rad/s], or one for all joints."""
    out: Path | None = None
    """File to write, NAME.yaml by default; one that is there is never overwritten."""
    json: Path | None = None
    """Write the results to this file."""
