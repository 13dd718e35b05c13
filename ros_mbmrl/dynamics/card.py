"""Cards of model and policy folders: read, written, and checked; all of it without torch."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ros_mbmrl import __version__
from ros_mbmrl.arguments.shipped import MODEL
from ros_mbmrl.errors import UserError
from ros_mbmrl.methods import check_origin, origin
from ros_mbmrl.robots.described.known import adopt_beside, keep_beside
from ros_mbmrl.share import what_is_shipped
from ros_mbmrl.untrusted import dump_yaml, read_yaml

CARD, WEIGHTS = "card.yaml", "model.safetensors"
POLICY = "policy.safetensors"  # in place of WEIGHTS in a policy's folder
POLICY_MODEL = "model"  # folder in a policy's: the model that it learned in
ADAPTED = "adapted"  # folder in that of a policy that practises first: the policy after that

# The robot's interface, what loads the weights, what adapts, and where it all comes from.
FIELDS = frozenset(
    (
        *("robot", "period", "state", "action", "features", "changes"),
        *("network", "value", "clip", "weights_sha256", "code_version"),
        *("method", "origin", "options", "guard", "adapt_window", "inner"),
        *("adapt_windows", "predict_window", "horizon", "seed", "scores", "curve", "tuning"),
        *("data", "sessions", "training", "trained_as", "tuned_on", "study", "command", "notes"),
        *("situations", "acts", "task"),
    )
)
NETWORK = frozenset(
    ("kind", "sizes", "activation", "members", "head", "elites", "history", "latent")
)


def read_card(folder: Path, weights: str = WEIGHTS) -> dict[str, Any]:
    """Return the card of a folder of a model or a policy. Raises UserError."""
    if not folder.is_dir():
        raise UserError(f"no model folder '{folder}': {what_is_shipped(MODEL, folder)}")
    for name in (CARD, weights):
        if not (folder / name).is_file():
            raise UserError(f"{folder}: no {name}: expected {CARD} and {weights}")
    card = read_yaml(folder / CARD)
    if not isinstance(card, dict):
        raise UserError(f"{folder}/{CARD}: expected a mapping")
    adopt_beside(folder, str(card.get("robot")))
    return card


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Write a folder's card, completely or not at all."""
    partial = folder / f"{CARD}.partial"
    partial.write_text(dump_yaml(dict(card), width=100))
    os.replace(partial, folder / CARD)
    keep_beside(folder, str(card.get("robot")))


def common_robot(folders: Iterable[Path]) -> str:
    """Return the robot that all these models are for. Raises UserError if there are several."""
    first: dict[str, Path] = {}
    for folder in folders:
        first.setdefault(str(read_card(folder).get("robot")), folder)
    if len(first) > 1:
        made = ", ".join(f"{folder} for {robot}" for robot, folder in first.items())
        raise UserError(f"models of different robots: {made}")
    return next(iter(first))


def acting_policy(folder: Path, robot: str, task: str) -> Path:
    """Return the folder of the policy that acts, of one that is to do a robot's task.

    Of a policy that practises first it is the one that was adapted at the end of its training. What
    its card alone tells is checked here, before anything is started.

    Raises:
        UserError: the card is of another robot or task, or what `check_card` refuses.
    """
    card = read_card(folder, POLICY)
    check_card(folder, card)
    told = {"task": task, **card}  # a card does not always tell the task
    for name, expected in (("robot", robot), ("task", task)):
        if (got := told.get(name)) != expected:
            raise UserError(f"{folder}: made for another {name}: '{got}', expected '{expected}'")
    adapted = folder / ADAPTED
    return adapted if card.get("inner") and adapted.is_dir() else folder


def check_card(where: object, card: Mapping[str, Any]) -> None:
    """Refuse a card that says what would not be heeded, or that another program wrote.

    An unknown field may decide the outcome, so that it is refused; `notes` is free.

    Args:
        where: the card's folder, for the message.

    Raises:
        UserError: an unknown field, a version newer than this one, or a method that is installed
            from another package, in another version, or with another rule.
    """
    if _parts(card.get("code_version", "")) > _parts(__version__):
        raise UserError(
            f"{where}: made by version {card['code_version']}: expected {__version__} or before"
        )
    _check_names(where, "the card", card, FIELDS)
    for what in ("network", "value"):
        if isinstance(card.get(what), Mapping):
            _check_names(where, f"the card's {what}", card[what], NETWORK)
    check_origin(where, card)


def facts_of(method: object) -> dict[str, Any]:
    """Return what a card must say of a method beside its name: of a built-in one nothing."""
    found = origin(str(method))
    return {"origin": dict(found)} if found else {}


def _check_names(where: object, what: str, given: Iterable[object], known: frozenset[str]) -> None:
    for name in given:
        if name not in known:
            raise UserError(
                f"{where}: unknown field '{name}' in {what}: expected none but "
                f"{', '.join(sorted(known))}"
            )


def _parts(version: object) -> tuple[int, ...]:
    """Return the numbers of a version, which can be compared."""
    return tuple(int(part[:9]) for part in re.findall(r"\d+", str(version).split("+")[0]))
