"""Settings of a training: those of a recipe, and those of `--set NAME=VALUE` on top of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ros_mbmrl.arguments.shipped import RECIPE
from ros_mbmrl.errors import UserError
from ros_mbmrl.methods import METHODS
from ros_mbmrl.share import what_is_shipped
from ros_mbmrl.untrusted import parse_yaml, read_yaml

Settings = dict[str, Any]


def read_settings(path: Path | None, method: str, words: Sequence[str]) -> Settings:
    """Return the settings that a recipe and words give a method; their names are not checked.

    Args:
        path: YAML file; a section that is named by the method overrides what stands outside of
            sections. None for no recipe.
        method: name of the method.
        words: `NAME=VALUE`, where a dotted name is that of a setting within settings. They override
            the recipe, and the last one of a name counts.

    Raises:
        UserError: the file is not a mapping of settings, or a word is not NAME=VALUE.
    """
    settings = {} if path is None else _of_recipe(path, method)
    for word in words:
        settings = _over(settings, _nested(word))
    return settings


def told(path: Path | None, words: Sequence[str], error: Exception) -> UserError:
    """Return the error of a wrong setting with where it was set: by a word, or in the recipe."""
    message = str(error)
    for word in words:
        name = word.partition("=")[0].rpartition(".")[2]
        if f"'{name}'" in message or name in message.partition(":")[0]:
            return UserError(f"--set {word}: {message}")
    return UserError(message if path is None else f"recipe {path}: {message}")


def _of_recipe(path: Path, method: str) -> Settings:
    if not path.is_file():
        raise UserError(f"recipe: no file '{path}': {what_is_shipped(RECIPE, path)}")
    found = read_yaml(path)
    if not isinstance(found, dict):
        raise UserError(f"recipe {path}: expected a mapping of settings")
    own = found.get(method) or {}
    if not isinstance(own, dict):
        raise UserError(f"recipe {path}: expected a mapping of settings under {method}")
    return {name: value for name, value in found.items() if name not in METHODS} | own


def _nested(word: str) -> Settings:
    """Return `a.b=VALUE` as {"a": {"b": VALUE}}, with the value as YAML has it."""
    name, sign, text = word.partition("=")
    names = name.split(".")
    if not sign or not all(each.isidentifier() for each in names):
        raise UserError(f"--set {word}: expected NAME=VALUE, such as learning_rate=1e-3")
    try:
        value: Any = parse_yaml(text)
    except UserError as error:
        raise UserError(f"--set {word}: {error}") from None
    for each in reversed(names):
        value = {each: value}
    nested: Settings = value
    return nested


def _over(settings: Mapping[str, Any], others: Mapping[str, Any]) -> Settings:
    """Return the settings with others on top; mappings in both are joined."""
    joined = dict(settings)
    for name, value in others.items():
        before = joined.get(name)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        joined[name] = _over(before, value) if both else value  # type: ignore[arg-type]
    return joined
