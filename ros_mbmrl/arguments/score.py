"""Arguments of `mbmrl score`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from ros_mbmrl.arguments.ranges import Few


@dataclass(frozen=True)
class Score:
    """Open-loop prediction error on recorded data: prior and adapted, per tag, per horizon."""

    models: Positional[tuple[Path, ...]]
    """Model folders, named by method and told apart by training seed; all are judged on the
    same windows."""
    data: tuple[Path, ...]
    """Data sets, recordings, or folders of recordings."""
    horizons: tuple[Few, ...] = (1, 8)
    """Steps ahead."""
    tag: str = "terrain"
    """What the rows are grouped by."""
    sessions: str = "unseen"
    """`unseen` leaves out sessions that a model was trained or chosen on; `all` does not."""
    marked: bool = False
    """Only windows that adapt on a row which the import marked: gaps, jumps, wild telemetry."""
    guard: bool = True
    """Whether the guard may refuse an update."""
    out: Path | None = None
    """Folder of a report with pictures; none is written without it."""
    json: Path | None = None
    """Write the results to this file."""
