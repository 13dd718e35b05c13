"""Plants of robots that are described by files."""

from __future__ import annotations

from ros_mbmrl.robots.described.known import described


def described_plants() -> dict[str, str]:
    """Return where the code of their plants is, by `robot.plant`. Raises UserError."""
    found: dict[str, str] = {}
    for name, description in described().items():
        if description.topics:
            found[f"{name}.topics"] = "ros_mbmrl.plants.topics.plant"
        if description.twin is not None:
            found[f"{name}.twin"] = f"ros_mbmrl.plants.described_twin:{name}"
    return found
