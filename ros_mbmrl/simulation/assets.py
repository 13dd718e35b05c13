"""Where the MJCF files are: in a source checkout, or installed under share/."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ros_mbmrl.errors import UserError

PACKAGE = "ros_mbmrl"


def sim_folders() -> list[Path]:
    """Folders that may hold the simulation files, first choice first."""
    checkout = Path(__file__).resolve().parents[2] / "sim"
    prefixes = [sys.prefix, *os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)]
    shares = [Path(prefix) / "share" / PACKAGE / "sim" for prefix in prefixes if prefix]
    return [checkout, *shares]


def sim_path(name: str) -> Path:
    """Path of the simulation file called `name`. Raises UserError where it was not found."""
    folders = sim_folders()
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise UserError(f"no simulation file '{name}' in {', '.join(map(str, folders))}")
