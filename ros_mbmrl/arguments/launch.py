"""Arguments of `mbmrl launch`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg


@dataclass(frozen=True)
class Launch:
    """Start a graph of nodes as processes, as `ros2 launch ros_mbmrl NAME.launch.py` does."""

    graph: Positional[Annotated[str, arg(metavar="GRAPH")]]
    """adapt, collect or twin."""
    arguments: Positional[Annotated[tuple[str, ...], arg(metavar="[NAME:=VALUE ...]")]] = ()
    """Arguments of the launch file, see --show-args; also as --name value. planner.NAME:=VALUE sets
    the planner.
    """
    show_args: bool = False
    """List the arguments and start nothing."""
    json: Path | None = None
    """Write the results to this file."""
