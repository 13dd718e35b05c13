"""Arguments of `mbmrl data`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional


@dataclass(frozen=True)
class Data:
    """What is in recordings and data sets, and what is wrong with them."""

    what: Positional[Literal["ls", "info", "check", "plot"]]
    """ls: a line each; info: topics, types and rates; check: gaps, clocks, commands, doubtful
    rows, what a kill has cost; plot: what they cover, as pictures and a page."""
    paths: Positional[tuple[Path, ...]]
    """Recordings (.mcap, .mcap.zstd), data sets, folders of them, with their sub-folders."""
    robot: str | None = None
    """Whose recordings they are, where their topics do not tell."""
    out: Path = Path("runs/data")
    """Folder of the pictures and the page that `plot` makes."""
    json: Path | None = None
    """Write the results to this file."""
