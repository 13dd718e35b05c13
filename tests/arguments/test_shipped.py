"""Options that may name what is shipped."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

from ros_mbmrl.arguments.shipped import MODEL, RECIPE, ModelFolder, kind_of
from ros_mbmrl.cli import COMMANDS

FOUND = {
    ("train", "recipe"): RECIPE,
    **{(command, "models"): MODEL for command in ("score", "evaluate")},
    **{(command, "model"): MODEL for command in ("tune", "replay")},
    ("tune", "like"): MODEL,
}


def test_the_kind_is_found_within_other_types() -> None:
    assert kind_of(ModelFolder) == kind_of(tuple[ModelFolder, ...]) == MODEL
    assert kind_of(ModelFolder | None) == MODEL
    assert kind_of(Path) is None


def test_every_model_and_recipe_of_a_command_may_be_a_name() -> None:
    kinds = {
        (command, field.name): kind
        for command, cls in COMMANDS.items()
        for hints in [get_type_hints(cls, include_extras=True)]
        for field in fields(cls)
        if (kind := kind_of(hints[field.name]))
    }
    assert kinds == FOUND
