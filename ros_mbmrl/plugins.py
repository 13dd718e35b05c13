"""What other packages add to ours, by entry points: robots and plants from outside."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from ros_mbmrl.errors import UserError


def entries(group: str) -> dict[str, str]:
    """Name -> value of the installed entry points of `ros_mbmrl.<group>`; nothing is imported."""
    return {point.name: point.value for point in entry_points(group=f"ros_mbmrl.{group}")}


def imported(value: str) -> Any:
    """What `module` or `module:name` stands for. Raises UserError for what cannot be imported."""
    module, _, name = value.partition(":")
    try:
        found = import_module(module)
        return getattr(found, name) if name else found
    except (ImportError, AttributeError) as error:
        raise UserError(f"entry point '{value}': {error}") from None
