"""One spelling for two: options of a command as `name:=value`, too, as launch arguments are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from tyro.conf import Positional, UseAppendAction

from ros_mbmrl.errors import UserError

WORD = re.compile(r"([a-z][a-z0-9_-]*):=(.*)", re.DOTALL)
TAKING_WORDS = ("graph", "launch")  # options whose values are such words, for a graph


def as_options(words: Sequence[str], command: type) -> list[str]:
    """Return a command's words with those of the form `name:=value` as options.

    Several values are joined by commas: `tags:=a,b` is `--tags a b`. Positional arguments may be
    named, too. Words of another form stay as they are.

    Args:
        words: of the command line, after the command's name.
        command: class of its arguments.

    Raises:
        UserError: an unknown name, or a flag that is neither true nor false.
    """
    hints = get_type_hints(command, include_extras=True)
    named: dict[str, list[str]] = {}
    options: list[str] = []
    rest: list[str] = []
    for word, taken in _with_option(words):
        found = None if taken in TAKING_WORDS else WORD.fullmatch(word)
        if found is None:
            rest.append(word)
            continue
        name, value = found[1].replace("-", "_"), found[2]
        if name not in hints:
            raise unknown(name, sorted(hints))
        if _has(hints[name], Positional):
            named[name] = value.split(",") if _is_tuple(hints[name]) else [value]
        else:
            options += _option(name, value, hints[name])
    order = [each.name for each in fields(command) if _has(hints[each.name], Positional)]
    return [*_placed(order, named, rest), *options]


def unknown(name: str, known: Sequence[str]) -> UserError:
    """Return the error of an argument that is not known, with the nearest one."""
    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return UserError(f"unknown argument '{name}': expected one of {', '.join(known)}{hint}")


def _with_option(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each word with the name of the option that stands before it; empty for none."""
    option = ""
    for word in words:
        if word.startswith("--"):
            option = word[2:].partition("=")[0]
        yield word, option


def _option(name: str, value: str, hint: Any) -> list[str]:
    """Return the words of `--name` with a value."""
    dashed = f"--{name.replace('_', '-')}"
    if hint is bool:
        flags = {"true": dashed, "false": f"--no-{dashed[2:]}"}
        if value not in flags:
            raise UserError(f"{name}: expected true or false, got '{value}'")
        return [flags[value]]
    if not _is_tuple(hint):
        return [f"{dashed}={value}"]
    values = value.split(",") if value else []
    if _has(hint, UseAppendAction):
        return [f"{dashed}={each}" for each in values]
    return [dashed, *values]


def _placed(order: Sequence[str], named: dict[str, list[str]], rest: list[str]) -> list[str]:
    """Return the words with named positional arguments in their places."""
    if not named:
        return rest
    first = next((i for i, word in enumerate(rest) if word.startswith("-")), len(rest))
    leading, others = rest[:first], rest[first:]
    placed: list[str] = []
    for name in order:
        placed += named[name] if name in named else leading[:1]
        leading = leading if name in named else leading[1:]
    return [*placed, *leading, *others]


def _has(hint: Any, mark: object) -> bool:
    return get_origin(hint) is Annotated and mark in hint.__metadata__


def _is_tuple(hint: Any) -> bool:
    """Return whether a type, or a part of a union, is a tuple."""
    if get_origin(hint) in (Annotated, Union, UnionType):
        return any(_is_tuple(part) for part in get_args(hint))
    return get_origin(hint) is tuple
