"""What other packages add to ours, by entry points: robots and plants from outside."""

from __future__ import annotations

from importlib.metadata import entry_points


def entries(group: str) -> dict[str, str]:
    """Name -> value of the installed entry points of `ros_mbmrl.<group>`; nothing is imported."""
    return {point.name: point.value for point in entry_points(group=f"ros_mbmrl.{group}")}
