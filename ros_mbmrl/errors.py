"""Errors that a user can cause, and the answer of the command line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

T = TypeVar("T")


class UserError(ValueError):
    """Bad input: the message is one line that says what was wrong and what was expected.

    The command line prints it and exits with status 2. Characters that cannot be printed become
    blanks: a name in a foreign file must not split the line or control the terminal.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__("".join(c if c.isprintable() else " " for c in str(message)))


class RunError(RuntimeError):
    """A run that failed for the reason in its message; the command line exits with status 1."""


def changed(settings: T, **changes: object) -> T:
    """Return a frozen dataclass with the changes that are not None. Raises UserError."""
    wanted: dict[str, Any] = {k: value for k, value in changes.items() if value is not None}
    try:
        return replace(settings, **wanted)  # type: ignore[type-var]
    except ValueError as error:
        raise UserError(error) from None


def choose(kind: str, name: str, known: object) -> None:
    """Raise UserError unless `name` is one of the names in `known`."""
    names = sorted(known)  # type: ignore[call-overload]
    if name not in names:
        raise UserError(f"unknown {kind} '{name}': expected one of {', '.join(names)}")
