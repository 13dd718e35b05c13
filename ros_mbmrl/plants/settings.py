"""Reader of a robot's own settings, `hardware.NAME` in a parameter file, into their dataclass."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from ros_mbmrl.errors import UserError, choose

T = TypeVar("T")

_EXPECTED: Mapping[type, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a finite number",
    str: "a text",
    tuple: "integers",
}


def read_settings(cls: type[T], hardware: Mapping[str, Any]) -> T:
    """Return a `cls` from settings by name; the type of each is that of its default.

    Raises UserError for an unknown name, a wrong type, and whatever `cls` refuses.
    """
    kinds = {field.name: type(field.default) for field in fields(cls)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in hardware.items():
        choose("hardware setting", name, kinds)
        values[name] = _typed(name, kinds[name], value)
    return cls(**values)


def _typed(name: str, kind: type, value: Any) -> Any:
    if kind is tuple and not isinstance(value, str | Mapping) and hasattr(value, "__iter__"):
        several = tuple(value)
        if all(type(each) is int for each in several):
            return several
    elif kind is float and type(value) in (int, float) and _finite(value):
        return float(value)
    elif kind is not tuple and kind is not float and type(value) is kind:
        return value
    raise UserError(f"hardware.{name}: expected {_EXPECTED[kind]}, got {value!r}")


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer larger than all floats
        return False
