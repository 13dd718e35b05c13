"""Progress of an asynchronous run, as its servers and heartbeats tell it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ros_mbmrl.learning.asynchronous.servers import Servers

Told = Callable[[Servers], None]


def silent(servers: Servers) -> None:
    """Tell nobody: a `Told`."""


def scalars(servers: Servers) -> dict[str, dict[str, float]]:
    """Return the numbers of each worker's heartbeat: its figures, and its seconds idle."""
    found = {}
    for name, beat in servers.heartbeats().items():
        numbers: dict[str, Any] = {**beat.get("figures", {}), "idle_s": beat.get("idle_s", 0.0)}
        found[name] = {key: float(value) for key, value in numbers.items()}
    return found
