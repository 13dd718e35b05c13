"""Settings that may change while the robot moves: the range of each, and a configuration with one.

A configuration (a frozen dataclass) names its own in `LIVE`; its other fields are fixed at start.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, TypeVar


@dataclass(frozen=True)
class Live:
    """Range of a setting.

    Args:
        low, high: smallest and largest value.
        about: the setting in a few words, with its unit.
        whole: only integers are allowed.
    """

    low: float
    high: float
    about: str
    whole: bool = False

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"expected low up to high, got {self.low} and {self.high}")

    def checked(self, name: str, value: object) -> float | int:
        """Return the value of the setting called `name`. Raises ValueError: the reason."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        wrong = not number or not self.low <= value <= self.high  # type: ignore[operator]
        if wrong or (self.whole and not isinstance(value, int)):
            kind = "an integer" if self.whole else "a number"
            expected = f"{kind} from {self.low:g} to {self.high:g}"
            raise ValueError(f"{name}: expected {expected}, got {value!r}")
        return value if self.whole else float(value)  # type: ignore[arg-type, return-value]

    def holding(self, value: float) -> Live:
        """Return the range, widened to a finite value that the user chose at the start."""
        if not math.isfinite(value):
            return self
        return replace(self, low=min(self.low, value), high=max(self.high, value))


class Tunable(Protocol):
    """A frozen dataclass some of whose fields may change while the robot moves."""

    LIVE: ClassVar[Mapping[str, Live]]
    __dataclass_fields__: ClassVar[dict[str, Any]]


TunableT = TypeVar("TunableT", bound=Tunable)


def retuned(config: TunableT, changes: Mapping[str, object]) -> TunableT:
    """Return a configuration with changes, by name of the field.

    Raises:
        ValueError: no setting that may change, a value out of its range, or one that does not go
            with the others.
    """
    for name in changes:
        if name not in config.LIVE:
            raise ValueError(f"{name}: expected one of {', '.join(config.LIVE)}")
    values = {
        name: config.LIVE[name].holding(getattr(config, name)).checked(name, value)
        for name, value in changes.items()
    }
    return replace(config, **values)
