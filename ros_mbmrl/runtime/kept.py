"""Results kept in a folder with the settings that decided them, so that runs are not mixed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from ros_mbmrl import __version__
from ros_mbmrl.errors import UserError

FILE = "description.json"


def keep(folder: Path, description: Mapping[str, Any], kind: str = "study") -> None:
    """Write the description into `folder`, or compare it with the one there.

    Raises UserError with the first difference: half a table of one study and half of another would
    look like a whole one. kind: of the described object.
    """
    path, wanted = folder / FILE, plain(description)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(json.dumps(wanted, indent=1))
            return
        known = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: {error}") from None
    if not isinstance(known, dict):
        raise UserError(f"{path}: expected the description of a {kind}")
    if difference := first_difference(known, wanted):
        raise UserError(
            f"{folder} holds another {kind}: {difference}; expected the same description, "
            "or another folder (--out)"
        )


def first_difference(known: Any, wanted: Any, name: str = "") -> str:
    """Return where two descriptions first differ, and how; empty if they are equal."""
    if isinstance(known, dict) and isinstance(wanted, dict):
        for key in sorted(known.keys() | wanted.keys()):
            inner = f"{name}.{key}" if name else str(key)
            if key not in known or key not in wanted:
                return f"{inner} is only in {'the command' if key in wanted else 'the folder'}"
            if found := first_difference(known[key], wanted[key], inner):
                return found
        return ""
    return "" if known == wanted else f"{name} was {known}, now {wanted}"


def key_of(*facts: Any) -> str:
    """Return a hash of all facts that decide a job's outcome."""
    text = json.dumps([__version__, plain(facts)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def plain(value: Any) -> Any:
    """Return a value as JSON reads it back."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain({f.name: getattr(value, f.name) for f in fields(value)})
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    return value
