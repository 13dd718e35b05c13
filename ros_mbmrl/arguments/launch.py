"""Arguments of `mbmrl launch`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional


@dataclass(frozen=True)
class Launch:
    """Start a graph of nodes as processes, as `ros2 launch ros_mbmrl NAME.launch.py` does."""

    graph: Positional[str]
    """adapt, collect or twin."""
    arguments: Positional[tuple[str, ...]] = ()
    """name:=value, the arguments of the launch file."""
    show_args: bool = False
    """List the arguments and start nothing."""
    json: Path | None = None
    """Write the results to this file."""
