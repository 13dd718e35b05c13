"""Arguments of `mbmrl doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Doctor:
    """Examine this machine: rclpy and middleware, MuJoCo, rendering, ports, threads, GPU."""

    json: Path | None = None
    """Write the results to this file."""
