"""Arguments of `mbmrl import`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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
