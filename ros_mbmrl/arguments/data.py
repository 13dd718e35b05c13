"""Arguments of `mbmrl data`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional


@dataclass(frozen=True)
class Data:
    """List, check or draw recordings and data sets."""

    what: Positional[Literal["ls", "info", "check", "plot"]]
    """ls: a line each; info: topics, types and rates; check: gaps, clocks, commands, doubtful rows,
    loss by a kill; plot: pictures and a page of what they cover.
    """
    paths: Positional[tuple[Path, ...]]
    """Recordings (.mcap, .mcap.zstd), data sets, folders of them, with their sub-folders."""
    robot: str | None = None
    """Robot of the recordings, if their topics do not show it."""
    out: Path = Path("runs/data")
    """Folder for the pictures and the page of `plot`."""
    json: Path | None = None
    """Write the results to this file."""
