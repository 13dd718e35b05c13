"""Arguments of `mbmrl check`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg


@dataclass(frozen=True)
class Check:
    """Check a robot's file, and show what it says: nothing is started."""

    what: Positional[Literal["robot"]]
    """robot: the YAML file that describes one."""
    file: Positional[Annotated[Path, arg(metavar="FILE")]]
    """The file (.yaml)."""
    json: Path | None = None
    """Write the results to this file."""
