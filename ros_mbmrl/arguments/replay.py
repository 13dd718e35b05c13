"""Arguments of `mbmrl replay`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ros_mbmrl.arguments.ranges import Count, Seed
from ros_mbmrl.arguments.shipped import ModelFolder


@dataclass(frozen=True)
class Replay:
    """Compute what a model would have predicted and commanded in a recorded run."""

    recording: Positional[Annotated[Path, arg(metavar="RECORDING")]]
    """An MCAP file."""
    model: ModelFolder
    """Model folder, or a shipped model by name, such as hexapod/grbal."""
    method: str = ""
    """Method by which the model is adapted; default: as its card says."""
    controller: str = ""
    """Planner; default: the robot's."""
    task: str = ""
    """Task to plan for, if the recording has no reference: a path or a task of the robot."""
    horizon: Count = 8
    """Steps ahead of the second prediction error."""
    params: Path | None = None
    """Parameter file of the controller (speed, planner); default: config/<robot>.yaml."""
    robot: str | None = None
    """Robot of the recording, if its topics do not show it."""
    seed: Seed = 0
    """Seed of the planner; the run's own seed reproduces its commands in lockstep."""
    out: Path | None = None
    """Folder of a report with pictures; default: no report."""
    json: Path | None = None
    """Write the results to this file."""
