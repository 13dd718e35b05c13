"""Files that are shipped with the package: configuration, models, the twin's MJCF."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints

from ros_mbmrl.arguments.shipped import MODEL, RECIPE, kind_of
from ros_mbmrl.errors import UserError

T = TypeVar("T")
PACKAGE = "ros_mbmrl"
CARD = "card.yaml"
# Where the files of each kind are, and what stands after their names.
_PLACES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {MODEL: ("models", ""), RECIPE: ("config/training", ".yaml")}
)


def roots() -> list[Path]:
    """Return the folders to search, first choice first: the checkout, or share/ once installed."""
    # An ament install keeps the package in <prefix>/lib/pythonX/site-packages.
    above = Path(__file__).resolve().parents
    sourced = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    near = (above[1], Path(sys.prefix), *above[4:5])  # above[1]: `pip install --target`
    prefixes = (*near, *(Path(each) for each in sourced if each))
    return [above[1], *(prefix / "share" / PACKAGE for prefix in prefixes)]


def find(relative: str) -> Path | None:
    """Return the path of a file or folder, or None if it is not found."""
    return next((root / relative for root in roots() if (root / relative).exists()), None)


def sim_path(name: str) -> Path:
    """Return the path of the simulation file called `name`. Raises UserError."""
    found = find(f"sim/{name}")
    if found is None:
        folders = ", ".join(str(root / "sim") for root in roots())
        raise UserError(f"no simulation file '{name}' in {folders}")
    return found


def shipped(kind: str) -> list[str]:
    """Return the names of what is shipped of a kind: `hexapod/grbal`, or `hexapod_twin`."""
    place, ending = _PLACES[kind]
    found = find(place)
    if found is None:
        return []
    if kind == MODEL:
        return sorted(str(each.parent.relative_to(found)) for each in found.glob(f"*/*/{CARD}"))
    return sorted(each.name.removesuffix(ending) for each in found.glob(f"*{ending}"))


def by_name(kind: str, path: Path) -> Path:
    """Return the path of the shipped model or recipe of that name.

    A path that exists wins, and one that is no name of what is shipped stays as it is. The name of
    a robot is that of the folder of its models.
    """
    place, ending = _PLACES[kind]
    name, names = str(path), shipped(kind)
    known = {*names, *(each.partition("/")[0] for each in names)} if kind == MODEL else names
    found = find(f"{place}/{name}{ending}") if name in known and not path.exists() else None
    return found or path


def with_shipped(arguments: T) -> T:
    """Return a command's arguments with names of shipped models and recipes as their paths."""
    hints = get_type_hints(type(arguments), include_extras=True)
    changes: dict[str, Any] = {}
    for field in fields(arguments):  # type: ignore[arg-type]
        kind, value = kind_of(hints[field.name]), getattr(arguments, field.name)
        if kind is None or value is None:
            continue
        several = isinstance(value, tuple)
        changes[field.name] = (
            tuple(by_name(kind, each) for each in value) if several else by_name(kind, value)
        )
    return replace(arguments, **changes)  # type: ignore[type-var]


def what_is_shipped(kind: str, path: Path) -> str:
    """Return what a message expects in place of a path that is neither there nor shipped."""
    names, own = shipped(kind), str(path)
    if kind == MODEL:
        robots = {name.partition("/")[0] for name in names}
        robot = own.partition("/")[0]
        if robot not in robots:
            return (
                "expected a folder, or a shipped model as ROBOT/METHOD, such as hexapod/grbal, "
                f"of {', '.join(sorted(robots))}"
            )
        names = [name for name in names if name.startswith(f"{robot}/")]
    near = get_close_matches(own, names, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    what = "a folder" if kind == MODEL else "a file"
    return f"expected {what}, or one of {', '.join(names)}{hint}"
