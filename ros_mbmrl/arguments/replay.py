"""Arguments of `mbmrl replay`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from ros_mbmrl.arguments.ranges import Count, Seed


@dataclass(frozen=True)
class Replay:
    """What a model would have predicted and commanded in a recorded run."""

    recording: Positional[Path]
    """An MCAP file."""
    model: Path
    """Model folder."""
    method: str = ""
    """How the model is adapted; as its card says, if none is named."""
    controller: str = "mppi"
    """Planner."""
    task: str = ""
    """What to plan for, where the recording has no reference: a path or a task of the robot."""
    horizon: Count = 8
    """Steps ahead of the second prediction error."""
    params: Path | None = None
    """Parameter file of the controller (speed, planner); default: config/<robot>.yaml."""
    robot: str | None = None
    """Whose recording it is, where its topics do not tell."""
    seed: Seed = 0
    """Seed of the planner's random numbers; the run's own gives its own commands in lockstep."""
    out: Path | None = None
    """Folder of a report with pictures; none is written without it."""
    json: Path | None = None
    """Write the results to this file."""
