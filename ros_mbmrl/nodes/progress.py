"""Progress: a line every few seconds on how a run goes, from what the recorder hears anyway.

The recorder is not on the control path: whatever a line costs, no command waits for it.
"""

from __future__ import annotations

from typing import Any

from rclpy.serialization import deserialize_message

from ros_mbmrl.adaptation import DOES_NOT_ADAPT
from ros_mbmrl.errors import UserError
from ros_mbmrl.nodes.messages import from_stamp, read_path, read_status, seconds
from ros_mbmrl.nodes.qos import message_class
from ros_mbmrl.robots.paths import Path
from ros_mbmrl.topics import topic

ENDING = 0.5  # [s] before the end, from when on the graph may be ending
SAFETY, ADAPTATION = "safety: state", "dynamics: adaptation"


class Progress:
    """Keeps the newest of what a line tells; most of it is read only when a line is asked for.

    Args:
        owner: `hardware_id` of the graph's diagnostics.
        duration: of the run [s]; 0: without end.
        fault: NAME@SECONDS, or empty.
    """

    def __init__(self, owner: str, duration: float = 0.0, fault: str = "") -> None:
        self._owner, self._duration = owner, duration
        self._fault, _, second = fault.partition("@")
        self._fault_at = float(second) if second else float("inf")
        self._newest: dict[str, bytes] = {}
        self._begin: int | None = None  # stamp of the first command that moves the robot [ns]
        self._now = 0  # newest stamp of a command [ns]
        self._path: Path | None = None
        self._arc = self._away = 0.0  # along the path, and from it [m]

    def take(self, name: str, data: bytes) -> None:
        """Take in a message, as bytes, of the topic called `name`."""
        if name == "command/safe":
            self._on_command(_read(name, data))
        elif name == "reference":
            self._path, self._arc = _path(_read(name, data)), 0.0
        elif name == "odom" and self._path is not None:
            place = _read(name, data).pose.pose.position
            self._arc, self._away = self._path.project((place.x, place.y), self._arc)
        elif name == "adaptation" or (name == "/diagnostics" and self._says_safety(data)):
            self._newest[name] = data

    def line(self) -> str:
        """Return how the run goes; empty before the robot moves, and when the run is over."""
        now = 0.0 if self._begin is None else seconds(self._now - self._begin)
        over = 0 < self._duration <= now + ENDING
        if self._begin is None or over:
            return ""
        parts = [f"{now:.0f} s of {self._duration:g}" if self._duration else f"{now:.0f} s"]
        if now >= self._fault_at:
            parts.append(f"{self._fault} since {self._fault_at:g} s")
        if self._path is not None:
            parts.append(f"{100 * abs(self._away):.1f} cm from the path")
        return ", ".join([*parts, *self._adaptation(), *self._safety()])

    def _on_command(self, message: Any) -> None:
        self._now = from_stamp(message.header.stamp)
        moves = any(map(any, (message.position, message.velocity, message.effort)))
        if self._begin is None and moves:
            self._begin = self._now

    def _says_safety(self, data: bytes) -> bool:
        return SAFETY.encode() in data and self._owner.encode() in data

    def _adaptation(self) -> list[str]:
        values = self._values("adaptation", ADAPTATION)
        if values is None:
            return []
        if values.get("reason") == DOES_NOT_ADAPT:
            return ["no adaptation"]
        return ["adaptation on" if values.get("accepted") == "True" else "adaptation refused"]

    def _safety(self) -> list[str]:
        values = self._values("/diagnostics", SAFETY)
        if values is None:
            return []
        level, why = values.get("level", "?").lower(), values.get("reasons", "")
        return ["safety ok" if level == "run" else f"safety {level}" + (f" ({why})" if why else "")]

    def _values(self, name: str, line: str) -> dict[str, str] | None:
        data = self._newest.get(name)
        return None if data is None else read_status(_read(name, data), line, self._owner)


def _path(message: Any) -> Path | None:
    """Return the path of a message; None of one that nobody can follow, whoever sent it."""
    try:
        return Path.from_points(read_path(message))
    except UserError:
        return None


def _read(name: str, data: bytes) -> Any:
    return deserialize_message(data, message_class(topic(name).type))
