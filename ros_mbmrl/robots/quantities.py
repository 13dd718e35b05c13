"""Quantities of a robot: named numbers with units, limits of commands, causes that can change."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quantity:
    """A named number and its SI unit."""

    name: str
    unit: str


@dataclass(frozen=True)
class Limit(Quantity):
    """A command with its range and its largest change per second, in its own unit."""

    low: float
    high: float
    rate: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"{self.name}: expected low < high, got {self.low} and {self.high}")
        if not self.rate > 0:
            raise ValueError(f"{self.name}: expected a rate above 0, got {self.rate}")


@dataclass(frozen=True)
class Cause(Quantity):
    """A physical quantity that can change and is no actuator's effectiveness.

    Args:
        low, high: its range.
        default: its value when all is well.
        levels: values that are told apart by a filter; between them a value is refined. None: it is
            never the cause that is told, only refined with the others.
        vector: name of a vector whose components are refined together; empty: it is a scalar.
        spread: standard deviation from one robot to another when all is well; 0: it is always at
            its default then.
        discrete: there is nothing between default and levels, so that nothing is refined.
    """

    low: float
    high: float
    default: float
    levels: tuple[float, ...]
    vector: str = ""
    spread: float = 0.0
    discrete: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"{self.name}: expected low < high, got {self.low} and {self.high}")
        for value in (self.default, *self.levels):
            if not self.low <= value <= self.high:
                raise ValueError(
                    f"{self.name}: expected default and levels from {self.low} to {self.high}, "
                    f"got {value}"
                )
        if self.default in self.levels or not (self.levels or self.spread):
            raise ValueError(f"{self.name}: expected levels other than its default, or a spread")
        if self.spread < 0 or (self.spread and self.discrete):
            raise ValueError(f"{self.name}: expected a spread of 0 or more, 0 if it is discrete")
