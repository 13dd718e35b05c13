"""Arguments of `mbmrl import`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tyro.conf import Positional


@dataclass(frozen=True)
class Import:
    """Turn foreign logs into a data set: units converted, doubtful rows marked, none dropped."""

    kind: Positional[str]
    """velociroach."""
    file: Positional[Path]
    """The log file (.npz)."""
    out: Positional[Path]
    """Folder to write the data set to."""
    json: Path | None = None
    """Write the results to this file."""

    def run(self) -> dict[str, Any]:
        """Imports, and prints what was marked and why."""
        from ros_mbmrl.commands import import_logs

        return import_logs.run(self.kind, self.file, self.out)
