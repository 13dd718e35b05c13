"""Arguments of `mbmrl import`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from ros_mbmrl.arguments.ranges import EpisodeSeconds, Seconds


@dataclass(frozen=True)
class Import:
    """Turn runs that other programs recorded into ours: units converted, doubtful rows marked.

    A bag of ROS 2, a table, or a data set of LeRobot becomes a recording of the robot, at its
    control rate; logs of the VelociRoACH become a data set.
    """

    kind: Positional[Annotated[str, arg(metavar="KIND")]]
    """bag: of ROS 2, of any robot that has a description; csv: a table; lerobot: a data set of
    LeRobot, version 3; velociroach: its logs.
    """
    file: Positional[Annotated[Path, arg(metavar="FILE")]]
    """The bag (.mcap, .db3, a folder), the table (.csv), the data set's folder, the log (.npz)."""
    out: Positional[Annotated[Path, arg(metavar="OUT")]]
    """Recording to write (.mcap); of the VelociRoACH's logs, folder for the data set."""
    robot: str | None = None
    """Whose run it is: a robot's file (my_robot.yaml), or its name."""
    clock: Literal["auto", "stamps", "received"] = "auto"
    """Times that count, of a bag: stamps of the headers, or when messages were received. auto:
    stamps, unless they are of several clocks.
    """
    gap: Seconds | None = None
    """Time without a measurement from which on the run is cut; default: 3 control periods."""
    hold: Seconds | None = None
    """Time that a command counts without a newer one; default: 3 control periods."""
    episode_seconds: EpisodeSeconds | None = None
    """Cut the run into episodes of so many seconds, of which training can hold out some; without, a
    recording is one whole.
    """
    json: Path | None = None
    """Write the results to this file."""
