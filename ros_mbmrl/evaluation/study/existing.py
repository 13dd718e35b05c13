"""Models that are there already, made by a study or by `mbmrl train`: found, named, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ros_mbmrl.dynamics.card import CARD, POLICY, WEIGHTS, check_card, read_card
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.methods import METHODS, make_method
from ros_mbmrl.methods.built_in import COLLECTOR
from ros_mbmrl.methods.method import Learned

DEEPEST = 4  # folders between the given one and a model's: STUDY/models/METHOD/SEED


@dataclass(frozen=True)
class Entrant:
    """A model or policy that takes part in a study's episodes.

    Args:
        name: under which it takes part: its folder's, or the folder's above where its own is the
            training seed, as a study's models are.
        method: how it acts, from its card.
        train_seed: from the card, or None.
        folder: of the model.
    """

    name: str
    method: str
    train_seed: int | None
    folder: Path

    @classmethod
    def of(cls, folder: Path, card: Mapping[str, Any]) -> Entrant:
        """Return the entrant of a folder with this card. Raises UserError."""
        seed = card.get("seed")
        if not (seed is None or isinstance(seed, int)):
            raise UserError(f"{folder}: seed {seed!r} in the card: expected a whole number")
        method = str(card.get("method"))
        make_method(method)
        own, above = folder.resolve().name, folder.resolve().parent.name
        name = f"{above}/{own}" if own.isdigit() else own
        return cls(above if own == str(seed) else name, method, seed, folder)

    @property
    def label(self) -> str:
        """Return the name in tables, with the method where the name does not tell it."""
        return self.name if self.name == self.method else f"{self.name} ({self.method})"

    @property
    def goes_by_itself(self) -> bool:
        """Return whether it is none of the further models that a study makes beside its methods'.

        Those are the collector's, an oracle's (METHOD-CONDITION) and of other windows or forces.
        """
        first, dash, _ = self.name.partition("-")
        return self.name != COLLECTOR and not (dash and first in METHODS)


def find_entrants(robot: str, folders: Sequence[Path]) -> tuple[Entrant, ...]:
    """Return the models for a robot in folders, at any depth down to DEEPEST.

    Raises:
        UserError: no such folder, no model in it, none for the robot, a card that is not as
            expected, or two models of the same name and training seed.
    """
    found: dict[tuple[str, int | None], Entrant] = {}
    for given in folders:
        for entrant in _in_folder(robot, given):
            known = found.setdefault((entrant.name, entrant.train_seed), entrant)
            if known.folder.resolve() != entrant.folder.resolve():
                raise UserError(
                    f"{known.folder} and {entrant.folder}: two models called '{entrant.name}' of "
                    f"training seed {entrant.train_seed}: expected another seed, or another name"
                )
    return tuple(found.values())


def _in_folder(robot: str, given: Path) -> list[Entrant]:
    if not given.is_dir():
        raise UserError(f"no folder '{given}' of model folders")
    try:
        folders = _model_folders(given, DEEPEST)
    except OSError as error:
        raise UserError(f"{given}: {error}") from None
    if not folders:
        raise UserError(f"no model in '{given}': expected folders with {CARD} and {WEIGHTS}")
    cards = {folder: read_card(folder, _weights(folder)) for folder in folders}
    own = {folder: card for folder, card in cards.items() if card.get("robot") == robot}
    if not own:
        others = ", ".join(sorted({str(card.get("robot")) for card in cards.values()}))
        raise UserError(f"{given}: models for {others}: expected one for {robot}")
    for folder, card in own.items():
        check_card(folder, card)
    return [Entrant.of(folder, card) for folder, card in own.items()]


def _model_folders(folder: Path, depth: int) -> list[Path]:
    """Return the folders with a card, by name; not those within another such folder."""
    if (folder / CARD).is_file():
        return [folder]
    inner = sorted(each for each in folder.iterdir() if each.is_dir()) if depth else []
    return [found for each in inner for found in _model_folders(each, depth - 1)]


def _weights(folder: Path) -> str:
    return POLICY if (folder / POLICY).is_file() else WEIGHTS


def on_their_models(found: Sequence[Entrant], named: Sequence[str]) -> tuple[Entrant, ...]:
    """Return those `named` methods that act with the model of another, on each such model.

    Raises:
        UserError: there is no such model.
    """
    result: list[Entrant] = []
    for name in named:
        if name not in METHODS or (method := make_method(name)).learned is not Learned.ANOTHERS:
            continue
        bases = [each for each in found if each.method == method.model_of]
        if not bases:
            raise UserError(f"{name}: no model of '{method.model_of}', expected one to act with")
        for each in bases:
            own = name if each.name == each.method else each.name
            result.append(replace(each, name=own, method=name))
    return tuple(result)


def choose_entrants(
    entrants: Sequence[Entrant], named: Sequence[str], references: Sequence[str]
) -> tuple[Entrant, ...]:
    """Return those that take part: those `named`, by name or method, or by default all.

    By default without the further models that a study makes beside its methods', unless there are
    no others.

    Args:
        entrants: that were found.
        named: on the command line, references among them.
        references: what can be named and is no model.

    Raises:
        UserError: an unknown name.
    """
    known = {word for each in entrants for word in (each.name, each.method)}
    for name in named:
        choose("model or reference", name, known.union(references))
    if named:
        return tuple(each for each in entrants if {each.name, each.method} & set(named))
    return tuple(each for each in entrants if each.goes_by_itself) or tuple(entrants)
