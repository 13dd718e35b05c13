"""Faults that set in at their second, whatever they are of."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from ros_mbmrl.errors import UserError, choose

F = TypeVar("F", bound="Onset")


@dataclass(frozen=True)
class Onset:
    """The fault called `name`, present from `seconds` [s] of simulated time on.

    known: names of the faults of this kind. Raises UserError for another name, or seconds that are
    negative or not finite.
    """

    name: str
    seconds: float = 0.0
    known: ClassVar[Collection[str]] = ()

    def __post_init__(self) -> None:
        choose("fault", self.name, self.known)
        if not (math.isfinite(self.seconds) and self.seconds >= 0):
            raise UserError(
                f"fault '{self.name}': expected seconds of 0 or more, got {self.seconds:g}"
            )

    @classmethod
    def parse(cls: type[F], text: str) -> F:
        """Return the fault that NAME@SECONDS describes; 'none' is no fault. Raises UserError."""
        name, at, after = text.partition("@")
        choose("fault", name, cls.known)
        try:
            seconds = float(after) if at or name != "none" else 0.0
        except ValueError:
            expected = f"expected NAME@SECONDS, for example {name}@20"
            raise UserError(f"fault '{text}': {expected}") from None
        return cls(name, seconds)


def present_at(now: float, faults: Sequence[Onset], switched: Mapping[str, bool]) -> frozenset[str]:
    """Return the names of the faults present at `now` [s], but for those `switched` by hand."""
    present = {fault.name for fault in faults if now >= fault.seconds - 1e-9}
    present |= {name for name, on in switched.items() if on}
    return frozenset(present - {"none", *(name for name, on in switched.items() if not on)})
