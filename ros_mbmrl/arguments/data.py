"""Arguments of `mbmrl data`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg


@dataclass(frozen=True)
class Data:
    """List, check or draw recordings, data sets, and bags of other robots."""

    what: Positional[Literal["ls", "info", "check", "plot", "export"]]
    """ls: a line each; info: topics, types, rates, gaps and clocks, of any bag; check: gaps,
    clocks, commands, doubtful rows, loss by a kill; plot: pictures and a page of what they cover,
    or of the numbers in `topics`; export lerobot PATH...: a LeRobot data set of recordings.
    """
    paths: Positional[Annotated[tuple[Path, ...], arg(metavar="PATH [PATH ...]")]]
    """Recordings and bags (.mcap, .db3, compressed by zstd or not), data sets, folders of them,
    with their sub-folders.
    """
    robot: str | None = None
    """Robot of the recordings, if their topics do not show it."""
    topics: Annotated[tuple[str, ...], arg(metavar="TOPIC [TOPIC ...]")] = ()
    """Topics of a bag of any robot, whose numbers `plot` draws over time."""
    out: Path = Path("runs/data")
    """Folder for the pictures and the page of `plot`, or for the data set of `export`."""
    json: Path | None = None
    """Write the results to this file."""
