"""Arguments of `mbmrl param`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg


@dataclass(frozen=True)
class Param:
    """List or set parameters of a running node, as `ros2 param` does where that is installed."""

    what: Positional[Literal["list", "set"]]
    """list: names, values and ranges of those that may be set now; set: one of them."""
    node: Positional[Annotated[str, arg(metavar="NODE")]]
    """Full name of the node, as /hexapod/controller."""
    name: Positional[Annotated[str, arg(metavar="[NAME]")]] = ""
    """Name of the parameter to set; of a list: how the names begin."""
    value: Positional[Annotated[str, arg(metavar="[VALUE]")]] = ""
    """New value: a number, true, false, [low, high], or else a text."""
    all: bool = False
    """List those that are read at the start, too."""
    json: Path | None = None
    """Write the results to this file."""
