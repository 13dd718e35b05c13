"""Entrants of an experiment: model folders, by method and training seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ros_mbmrl.adaptation import rule_of
from ros_mbmrl.dynamics.card import CARD, common_robot, read_card
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.campaign import Entrant, enter


def enter_all(named: Iterable[tuple[str, Path]], robot: str) -> tuple[Entrant, ...]:
    """Return entrants for these methods and folders; the same model given twice is one.

    Raises UserError for two different models of the same method and training seed.
    """
    found: dict[tuple[str, int | None], Entrant] = {}
    for method, folder in named:
        entrant = enter(method, folder, robot)
        rule_of(read_card(folder))  # refused here, before anything is run or written
        known = found.setdefault((method, entrant.train_seed), entrant)
        if known.digest != entrant.digest:
            raise UserError(
                f"{known.folder} and {folder}: two models of method '{method}' and training seed "
                f"{entrant.train_seed}: expected another seed, or another name"
            )
    return tuple(found.values())


def enter_methods(
    robot: str, known: Sequence[str], methods: Sequence[str], folders: Sequence[Path]
) -> tuple[Entrant, ...]:
    """Return the models `folder/method` that take part, one folder for each training seed.

    methods: names; if empty, those of `known` that every folder has. Raises UserError for a method
    that a folder lacks, models of different robots, or no model.
    """
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"no folder '{folder}' of model folders")
    names = tuple(dict.fromkeys(methods)) or tuple(
        name for name in known if all((folder / name / CARD).is_file() for folder in folders)
    )
    if not names:
        where = ", ".join(map(str, folders))
        raise UserError(f"no method with a model in '{where}': expected {', '.join(known)}")
    named = [(name, folder / name) for folder in folders for name in names]
    for name, folder in named:
        if not folder.is_dir():
            raise UserError(f"no model for method '{name}': expected a folder {folder}")
    common_robot([folder for _, folder in named])
    return enter_all(named, robot)
