"""Home folders in paths, if no shell has expanded them (`recording:=~/x`, `--out=~/x`)."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from ros_mbmrl.errors import UserError

T = TypeVar("T")


def expand_home(text: str, name: str) -> str:
    """Return a path with a leading `~` or `~user` expanded; `name` is the setting's.

    Raises UserError for an unknown user: a folder called `~user` is never meant.
    """
    expanded = os.path.expanduser(text)
    if expanded.startswith("~"):
        raise UserError(f"{name}: no home folder for '{text}': expected another path, or ./{text}")
    return expanded


def with_homes(arguments: T) -> T:
    """Return a command's arguments with every path in them expanded. Raises UserError."""
    changes: dict[str, Any] = {}
    for field in fields(arguments):  # type: ignore[arg-type]
        value = getattr(arguments, field.name)
        if isinstance(value, Path):
            changes[field.name] = _expanded(value, field.name)
        elif isinstance(value, tuple):
            changes[field.name] = tuple(
                _expanded(each, field.name) if isinstance(each, Path) else each for each in value
            )
    return replace(arguments, **changes)  # type: ignore[type-var]


def _expanded(path: Path, name: str) -> Path:
    return Path(expand_home(str(path), name))
