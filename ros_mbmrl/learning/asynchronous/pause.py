"""Pause of a run: while the robot is stopped by its safety monitor, workers wait.

It is a file in the run's folder, so that every worker sees it, and a person can make or remove it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ros_mbmrl.learning.asynchronous.files import remove, write_text

FILE = "paused"


@dataclass(frozen=True)
class Pause:
    """The pause of a run, and its reason.

    Args:
        run: its folder.
    """

    run: Path

    @property
    def reason(self) -> str:
        """Return why the run is paused; empty if it is not."""
        try:
            return (self.run / FILE).read_text().strip() or "paused"
        except OSError:
            return ""

    def begin(self, reason: str) -> None:
        """Pause the run. Raises RunError if that cannot be written."""
        write_text(self.run / FILE, f"{reason}\n")

    def end(self) -> None:
        """Let the run go on."""
        remove(self.run / FILE)
