"""Methods by name: those of this package, and entry points of the group `ros_mbmrl.methods`.

An entry point's value is a `Method`. Naming one imports nothing, and reading a built-in one no
torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.methods.built_in import BUILT_IN
from ros_mbmrl.methods.method import Learned, Look, Method
from ros_mbmrl.plugins import Entry, Registry, expected, imported


def _outside(entry: Entry) -> Method:
    found = imported(entry.value)
    expected(entry.value, "a ros_mbmrl.methods.method.Method", isinstance(found, Method), found)
    if found.name != entry.name:
        raise UserError(
            f"entry point '{entry.value}': expected a method called '{entry.name}', as the entry "
            f"point is, got '{found.name}'"
        )
    method: Method = found
    return method


METHODS: Registry[Method] = Registry("method", "methods", BUILT_IN, _outside)


def make_method(name: str) -> Method:
    """Return the method called `name`.

    Raises:
        UserError: there is none, or its entry point is not as expected.
    """
    choose("method", name, METHODS)
    return METHODS[name]


def adapting(name: str) -> Method:
    """Return the method called `name`, which has an update rule.

    Raises:
        UserError: there is none, or it has no rule, or its entry point is not as expected.
    """
    choose("method", name, with_rule())
    method = METHODS[name]
    if not method.rule:
        raise UserError(f"method '{name}' has no update rule: expected one that adapts a model")
    return method


def about(name: str) -> Method:
    """Return the method called `name`, or a plain contender where a report names another one."""
    return METHODS[name] if name in METHODS else Method(name)


def look(name: str) -> Look:
    """Return how the method called `name` is drawn; in brown where nothing says otherwise."""
    return about(name).look or Look(name, "#8c510a", "..", "-.", "d")


def outside() -> tuple[str, ...]:
    """Return the names of the methods of other packages; nothing is imported."""
    return tuple(name for name in METHODS if name not in BUILT_IN)


def with_rule() -> tuple[str, ...]:
    """Return the names of the methods with an update rule; those of other packages may have none.

    Nothing is imported.
    """
    return (*(name for name, method in BUILT_IN.items() if method.rule), *outside())


def learns_policy(name: str) -> bool:
    """Tell whether there is a method called `name`, and it learns a policy.

    Raises:
        UserError: its entry point is not as expected.
    """
    return name in METHODS and METHODS[name].learned is Learned.POLICY


def origin(name: str) -> Mapping[str, Any]:
    """Return where a method of another package comes from: package, version, rule.

    Cards and descriptions say it, since it decides the outcome. Empty for a built-in method and
    for an unknown one.
    """
    entry = METHODS.entry(name)
    if entry is None:
        return {}
    return {"package": entry.package, "version": entry.version, "rule": METHODS[name].rule}


def check_origin(where: object, card: Mapping[str, Any]) -> None:
    """Refuse a card whose method is not the one that is installed under that name.

    Args:
        where: the card's folder, for the message.
        card: of a model; `origin` is what was installed when it was written.

    Raises:
        UserError: it was made with another package, version or rule.
    """
    name = str(card.get("method"))
    had, has = card.get("origin") or {}, origin(name)
    if not isinstance(had, Mapping):
        raise UserError(f"{where}: origin in the card: expected a mapping")
    for key in ("package", "version", "rule"):
        if had.get(key) != has.get(key):
            raise UserError(
                f"{where}: method '{name}' of another {key}: made with {had.get(key, 'none')}, "
                f"installed is {has.get(key, 'none')}"
            )
