"""Ranges of the number options of `mbmrl`, as annotations of their fields."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from ros_mbmrl.errors import UserError

MOST = 1_000_000_000
LARGEST_SEED = 2**31 - 1  # which every generator accepts, also with what is added to it


@dataclass(frozen=True)
class Range:
    """Numbers from `least` (or, if `above`, above it) up to `most`; never nan or infinity.

    text: how the message to the user describes the lower end.
    """

    text: str
    least: float = 0
    most: float = MOST
    above: bool = False

    def expected(self, value: float) -> str:
        """Return the expected range for the message; empty if `value` is in it."""
        if value > self.most:
            return f"{self.text}, up to {self.most:g}"
        low = value > self.least if self.above else value >= self.least
        return "" if low else self.text


Natural = Annotated[int, Range("at least 0")]
Count = Annotated[int, Range("at least 1", 1)]
Seed = Annotated[int, Range("at least 0", most=LARGEST_SEED)]
Size = Annotated[int, Range("an integer of at least 1", 1, 10_000_000)]
Processes = Annotated[int, Range("at least 0", 0, 1024)]
Workers = Annotated[int, Range("at least 1", 1, 1024)]
Port = Annotated[int, Range("at least 0", 0, 65535)]
Amount = Annotated[float, Range("0 or more")]
Seconds = Annotated[float, Range("seconds from 0 up")]
Positive = Annotated[float, Range("above 0", above=True)]
Speed = Annotated[float, Range("above 0", above=True, most=1000)]
Share = Annotated[float, Range("0 or more", 0, 1)]
EpisodeSeconds = Annotated[float, Range("at least 1 second", 1)]
# The job itself checks the lower end of these, with a better message.
Whole = Annotated[int, Range("an integer", -MOST)]
Few = Annotated[int, Range("an integer", -MOST, 100_000)]
Number = Annotated[float, Range("a number", -MOST)]


def check_numbers(arguments: Any) -> None:
    """Raise UserError for the first option of a command that is outside of its range."""
    for name, known in ranges_of(type(arguments)).items():
        value = getattr(arguments, name)
        for number in value if isinstance(value, tuple) else (value,):
            if number is not None and (expected := known.expected(number)):
                raise UserError(f"{name}: expected {expected}, got {number:g}")


def ranges_of(command: type) -> dict[str, Range]:
    """Return the ranges of a command's number options by name."""
    hints = get_type_hints(command, include_extras=True)
    found = {field.name: _range(hints[field.name]) for field in fields(command)}
    return {name: known for name, known in found.items() if known is not None}


def _range(hint: Any) -> Range | None:
    """Return the range in a type such as Annotated[int, Range()], or in a part of one."""
    if get_origin(hint) is Annotated:
        return next((each for each in get_args(hint) if isinstance(each, Range)), None)
    return next((known for part in get_args(hint) if (known := _range(part))), None)
