"""Files that are shipped with the package: configuration, models, the twin's MJCF."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ros_mbmrl.errors import UserError

PACKAGE = "ros_mbmrl"


def roots() -> list[Path]:
    """Return the folders to search, first choice first: the checkout, or share/ once installed."""
    # An ament install keeps the package in <prefix>/lib/pythonX/site-packages.
    above = Path(__file__).resolve().parents
    sourced = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    prefixes = (Path(sys.prefix), *above[4:5], *(Path(each) for each in sourced if each))
    return [above[1], *(prefix / "share" / PACKAGE for prefix in prefixes)]


def find(relative: str) -> Path | None:
    """Return the path of a file or folder, or None if it is not found."""
    return next((root / relative for root in roots() if (root / relative).exists()), None)


def sim_path(name: str) -> Path:
    """Return the path of the simulation file called `name`. Raises UserError."""
    found = find(f"sim/{name}")
    if found is None:
        folders = ", ".join(str(root / "sim") for root in roots())
        raise UserError(f"no simulation file '{name}' in {folders}")
    return found
