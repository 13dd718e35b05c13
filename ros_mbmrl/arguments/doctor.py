"""Arguments of `mbmrl doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Doctor:
    """What this machine has: rclpy and middleware, MuJoCo, rendering, ports, threads, GPU."""

    json: Path | None = None
    """Write the results to this file."""

    def run(self) -> dict[str, Any]:
        """Looks, and says what to do about what is missing."""
        from ros_mbmrl import doctor

        return doctor.run()
