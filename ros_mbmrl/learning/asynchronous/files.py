"""Writing that leaves the old or the new, never half, and says in one line what went wrong."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ros_mbmrl.errors import RunError


@contextmanager
def written(path: Path, *partial: Path) -> Iterator[None]:
    """Remove what a failed write has left, and tell why it failed.

    Args:
        path: file or folder that is written, for the message.
        partial: files and folders that a failed write may leave.

    Raises:
        RunError: a full disk, or a folder without write permission.
    """
    try:
        yield
    except OSError as error:
        for each in partial:
            remove(each)
        reason = error.strerror or str(error)
        raise RunError(
            f"{path}: cannot be written ({reason}); what is finished is kept, and the same "
            "command goes on"
        ) from None


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a mapping as JSON, atomically.

    Raises:
        RunError: it cannot be written.
    """
    write_text(path, json.dumps(dict(value)))


def write_text(path: Path, text: str) -> None:
    """Write a text, atomically.

    Raises:
        RunError: it cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    with written(path, partial):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text)
        os.replace(partial, path)


def read_json(path: Path) -> dict[str, Any]:
    """Read a mapping; empty if there is none that can be read."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
