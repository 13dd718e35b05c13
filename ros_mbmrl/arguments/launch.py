"""Arguments of `mbmrl launch`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tyro.conf import Positional


@dataclass(frozen=True)
class Launch:
    """Start a graph of nodes as processes: what `ros2 launch ros_mbmrl NAME.launch.py` does."""

    graph: Positional[str]
    """adapt, collect or twin."""
    arguments: Positional[tuple[str, ...]] = ()
    """name:=value, the arguments of the launch file."""
    show_args: bool = False
    """List the arguments and start nothing."""
    json: Path | None = None
    """Write the results to this file."""

    def run(self) -> dict[str, Any]:
        """Runs until the graph ends."""
        from ros_mbmrl.commands import launch

        if self.show_args:
            launch.show_arguments(self.graph)
            return {}
        return launch.run(self.graph, self.arguments)
