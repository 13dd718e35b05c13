"""Marked: a value of a YAML file that knows its line, so that every mistake can be named."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import yaml

from ros_mbmrl.errors import UserError
from ros_mbmrl.untrusted import compose_yaml


@dataclass(frozen=True)
class Marked:
    """A value of a file, and where it stands.

    Args:
        file: its name, for messages.
        line: of the value, from 1.
        path: names of the keys that lead to it, joined by dots; empty: the whole file.
        value: a text, a number, a flag, None, a list of `Marked`, or a mapping of them by key.
    """

    file: str
    line: int
    path: str
    value: Any

    @staticmethod
    def parse(text: str, file: str) -> Marked:
        """Parse the text of a file.

        Raises:
            UserError: it is no plain YAML, or a key stands twice.
        """
        try:
            node, construct = compose_yaml(text)
            if node is not None:
                return _marked(node, construct, file, "")
        except UserError as error:
            known = str(error).startswith(f"{file}:")
            raise error if known else UserError(f"{file}: {error}") from None
        raise UserError(f"{file}: expected a mapping, got an empty file")

    def wrong(self, expected: str) -> UserError:
        """Return the error that says what was expected here, and what is there instead."""
        got = self.value
        if isinstance(got, Mapping):
            got = "a mapping"
        elif isinstance(got, list):
            got = f"[{', '.join(str(each.value) for each in got[:8])}]"
        return self.error(f"expected {expected}, got {got}")

    def error(self, message: str) -> UserError:
        """Return an error about this place."""
        where = f"{self.path}: " if self.path else ""
        return UserError(f"{self.file}:{self.line}: {where}{message}")

    @property
    def nested(self) -> bool:
        """Return whether it is a mapping."""
        return isinstance(self.value, Mapping)

    def items(self) -> dict[str, Marked]:
        """Return a mapping's values by key. Raises UserError."""
        if not isinstance(self.value, Mapping):
            raise self.wrong("a mapping")
        return dict(self.value)

    def among(self, known: Collection[str], needed: Collection[str] = ()) -> dict[str, Marked]:
        """Return a mapping's values by key.

        Args:
            known: keys that it may have.
            needed: keys that it must have.

        Raises:
            UserError: it is no mapping, has another key, or lacks one.
        """
        found = self.items()
        for key, value in found.items():
            if key not in known:
                near = get_close_matches(key, known, n=1)
                hint = f"; did you mean '{near[0]}'?" if near else ""
                told = f"expected one of {', '.join(known)}{hint}"
                raise value.error(f"unknown key: {told}")
        for key in needed:
            if key not in found:
                raise self.error(f"expected '{key}', which is missing")
        return found

    def several(self, least: int = 0) -> list[Marked]:
        """Return a list's values. Raises UserError."""
        if not isinstance(self.value, list) or len(self.value) < least:
            raise self.wrong(f"a list of {least} or more" if least else "a list")
        return list(self.value)

    def text(self) -> str:
        """Return a text that is not empty. Raises UserError."""
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.wrong("a text")
        return self.value

    def choice(self, known: Collection[str]) -> str:
        """Return one of the known texts. Raises UserError."""
        if not isinstance(self.value, str) or self.value not in known:
            raise self.wrong(f"one of {', '.join(known)}")
        return self.value

    def flag(self) -> bool:
        """Return true or false. Raises UserError."""
        if not isinstance(self.value, bool):
            raise self.wrong("true or false")
        return self.value

    def number(self, low: float = -math.inf, high: float = math.inf) -> float:
        """Return a finite number from `low` to `high`. Raises UserError."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
            raise self.wrong("a finite number")
        if not low <= value <= high:
            span = f"from {low:g} to {high:g}" if math.isfinite(high) else f"of {low:g} or more"
            raise self.wrong(f"a number {span}" if math.isfinite(low) else f"at most {high:g}")
        return float(value)

    def positive(self) -> float:
        """Return a finite number above 0. Raises UserError."""
        if not (value := self.number()) > 0:
            raise self.wrong("a number above 0")
        return value

    def span(self) -> tuple[float, float]:
        """Return a list of two numbers, the lower one first. Raises UserError."""
        pair = [each.number() for each in self.several()]
        if len(pair) != 2 or not pair[0] < pair[1]:
            raise self.wrong("[low, high] with low below high")
        return pair[0], pair[1]


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer larger than all floats
        return False


def _marked(node: yaml.Node, construct: Callable[[yaml.Node], Any], file: str, path: str) -> Marked:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Marked] = {}
        for key, value in node.value:
            name = str(key.value)
            inner = f"{path}.{name}" if path else name
            marked = _marked(value, construct, file, inner)
            if name in found:
                place = key.start_mark.line + 1
                raise UserError(f"{file}:{place}: {inner}: stands twice: expected it once")
            # A value that is missing, or a mapping, begins elsewhere than its key.
            found[name] = Marked(file, key.start_mark.line + 1, inner, marked.value)
        return Marked(file, line, path, found)
    if isinstance(node, yaml.SequenceNode):
        each = [
            _marked(value, construct, file, f"{path}[{k}]") for k, value in enumerate(node.value)
        ]
        return Marked(file, line, path, each)
    return Marked(file, line, path, construct(node))
