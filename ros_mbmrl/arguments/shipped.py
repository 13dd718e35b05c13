"""Options that take a path, or the name of a model or a recipe that is shipped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

MODEL, RECIPE = "model", "recipe"


@dataclass(frozen=True)
class Shipped:
    """Mark of such an option; kind: MODEL or RECIPE."""

    kind: str


ModelFolder = Annotated[Path, Shipped(MODEL)]
RecipeFile = Annotated[Path, Shipped(RECIPE)]


def kind_of(hint: Any) -> str | None:
    """Return the kind in a type such as Annotated[Path, Shipped()], or in a part of one."""
    if get_origin(hint) is Annotated:
        found = next((each.kind for each in get_args(hint) if isinstance(each, Shipped)), None)
        return found or kind_of(get_args(hint)[0])
    return next((kind for part in get_args(hint) if (kind := kind_of(part))), None)
