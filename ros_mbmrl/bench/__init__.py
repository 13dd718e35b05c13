"""Measurements of the time-critical parts, each beside its floor or a peer in the same run.

One file per bench: a frozen configuration, its small form for a quick look, and `run`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# name -> module; imported on use: not every bench needs torch, MuJoCo or ROS.
BENCHES: dict[str, str] = {
    name: f"ros_mbmrl.bench.{name}"
    for name in (
        *("plan", "adapt", "loop", "train", "twin", "graph", "soak", "curvature", "imagine"),
        *("pathwise", "sac"),
    )
}


def load(name: str) -> Any:
    """Import the bench called `name`: `Config`, `QUICK` and `run(config) -> Findings`."""
    return import_module(BENCHES[name])
