"""LiveLimits: safety limits that may become narrower while the robot moves, never wider. Pure.

They have the names of the safety node's parameters: `limits.NAME`, as `narrowed` takes them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from ros_mbmrl.robots.live import Live
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.safety.limits import limits_of, narrowed

GROUP = "limits."
Range = tuple[float, float]


@dataclass(frozen=True)
class LiveLimits:
    """Limits in force; `after` gives those after a change.

    Every change is measured against the start: what was narrowed may be undone, but no further than
    to what the start allowed.

    Args:
        start: the robot with the limits that the safety node was started with.
        changed: [low, high] of the limits that were set since, by name.
    """

    start: Robot
    changed: Mapping[str, Range] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def robot(self) -> Robot:
        """Return the robot with the limits in force."""
        return narrowed(self.start, self._by_quantity(self.changed))

    @property
    def values(self) -> dict[str, Range]:
        """Return [low, high] in force by name."""
        return {**self._widest, **self.changed}

    @property
    def ranges(self) -> dict[str, Live]:
        """Return the widest range allowed by name: that of the start."""
        about = "[low, high]; may become narrower than at the start, never wider"
        return {name: Live(low, high, about) for name, (low, high) in self._widest.items()}

    def after(self, changes: Mapping[str, Sequence[float]]) -> LiveLimits:
        """Return the limits after changes, by name; all of them are taken, or none.

        Raises:
            ValueError: the reason why none is: wider than at the start, not finite where the start
                was, the wrong way round, or without room for standing still.
        """
        widest = self._widest
        for name, given in changes.items():
            if name not in widest:
                raise ValueError(f"{name}: expected one of {', '.join(widest)}")
            for new, own in zip(given, widest[name], strict=False):
                if not (math.isfinite(new) or new == own):
                    raise ValueError(f"{name}: expected finite numbers, got {list(given)}")
        wanted: dict[str, Sequence[float]] = {**self.changed, **changes}
        try:
            narrowed(self.start, self._by_quantity(wanted))
        except ValueError as error:
            raise ValueError(f"limits: {error}") from None
        taken = {name: (float(low), float(high)) for name, (low, high) in wanted.items()}
        return LiveLimits(self.start, MappingProxyType(taken))

    def since(self, before: LiveLimits) -> dict[str, list[float]]:
        """Return [low, high] of the limits that differ from those `before`."""
        old = before.values
        return {name: list(new) for name, new in self.values.items() if new != old[name]}

    @property
    def _widest(self) -> dict[str, Range]:
        return {GROUP + name: own for name, own in limits_of(self.start).items()}

    def _by_quantity(self, limits: Mapping[str, Sequence[float]]) -> dict[str, Sequence[float]]:
        return {name.removeprefix(GROUP): given for name, given in limits.items()}
