"""Arguments of `mbmrl view`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from ros_mbmrl.arguments.ranges import Port, Speed


@dataclass(frozen=True)
class View:
    """Show a recording in the browser, again and again, until Ctrl-C; or how a run goes."""

    recording: Positional[Path]
    """An MCAP file, or the folder of an asynchronous run."""
    robot: str | None = None
    """Robot of the recording, if its topics do not show it."""
    host: str = "127.0.0.1"
    """Name or address to listen at; with another one, other machines see it, too."""
    port: Port = 8765
    """Port on which it listens; 0: any that is free."""
    speed: Speed = 1.0
    """Seconds of the recording in a second, until a viewer asks for another speed."""
    once: bool = False
    """End with the recording."""
    json: Path | None = None
    """Write the results to this file."""
