"""Models that take part: found by method and folder, one of each training seed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from ros_mbmrl.dynamics.card import common_robot
from ros_mbmrl.dynamics.files import save_model
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.entrants import enter_all, enter_methods
from ros_mbmrl.networks.mlp import MLP, Parameters

Write = Callable[..., Path]
Prior = tuple[DynamicsModel, Parameters]
KNOWN = ("mb", "grbal", "residual")


@pytest.fixture
def write(prior: Any, registered: Any, tmp_path: Path) -> Write:
    """Writes a model of the toy: another one for each training seed."""
    model, _ = prior

    def written(name: str, seed: int = 0) -> Path:
        mlp: MLP = model.mlp
        parameters = mlp.init(torch.Generator().manual_seed(seed))
        facts = {"method": "mb", "options": {}, "adapt_window": 8, "seed": seed}
        save_model(tmp_path / name, model, parameters, facts)
        return tmp_path / name

    return written


def test_the_same_model_twice_is_one(write: Write) -> None:
    one, two = write("a", 1), write("b", 2)
    field = enter_all([("mb", one), ("mb", two), ("mb", one), ("grbal", one)], "toy")
    assert [(e.method, e.train_seed) for e in field] == [("mb", 1), ("mb", 2), ("grbal", 1)]


def test_two_models_of_one_training_seed_are_refused(write: Write) -> None:
    one, two = write("a", 1), write("b", 2)
    card = (two / "card.yaml").read_text()
    (two / "card.yaml").write_text(card.replace("seed: 2", "seed: 1"))
    with pytest.raises(UserError, match="two models of method 'mb' and training seed 1"):
        enter_all([("mb", one), ("mb", two)], "toy")


def test_without_a_name_those_that_every_folder_has_take_part(write: Write, tmp_path: Path) -> None:
    for seed in (0, 1):
        write(f"s{seed}/grbal", seed)
        write(f"s{seed}/mb", seed)
    write("s1/residual", 1)
    folders = [tmp_path / "s0", tmp_path / "s1"]
    field = enter_methods("toy", KNOWN, (), folders)
    assert [(e.method, e.train_seed) for e in field] == [
        *(("mb", 0), ("grbal", 0)),
        *(("mb", 1), ("grbal", 1)),
    ]
    named = enter_methods("toy", KNOWN, ("residual", "residual"), folders[1:])
    assert [(e.method, e.train_seed) for e in named] == [("residual", 1)]
    with pytest.raises(UserError, match="no model for method 'residual': expected a folder"):
        enter_methods("toy", KNOWN, ("residual",), folders)


def test_folders_without_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no folder '.*none' of model folders"):
        enter_methods("toy", KNOWN, (), [tmp_path / "none"])
    with pytest.raises(UserError, match="no method with a model in .*: expected mb, grbal, resid"):
        enter_methods("toy", KNOWN, (), [tmp_path])


def test_models_of_different_robots_are_refused(write: Write) -> None:
    one, two = write("a"), write("b")
    assert common_robot([one, two]) == "toy"
    card = (two / "card.yaml").read_text()
    (two / "card.yaml").write_text(card.replace("robot: toy", "robot: cart"))
    with pytest.raises(UserError, match="different robots: .*a for toy, .*b for cart"):
        common_robot([one, two])


@pytest.fixture
def models(tmp_path: Path, prior: Prior, registered: Any) -> Path:
    """Two models of the toy, of a folder each."""
    for name in ("mb", "residual"):
        facts = {"method": name, "options": {}, "adapt_window": 8, "seed": 2}
        save_model(tmp_path / name, *prior, facts)
    return tmp_path


def edit(folder: Path, **changes: Any) -> None:
    card = yaml.safe_load((folder / "card.yaml").read_text())
    (folder / "card.yaml").write_text(yaml.safe_dump({**card, **changes}))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": "median"}, "unknown method 'median': expected one of "),
        ({"options": {"gain": 5}}, "method residual: gain: expected a number in"),
        ({"temperature": 1}, "unknown field 'temperature' in the card"),
    ],
)
def test_a_card_that_cannot_be_run_is_refused(
    models: Path, changes: dict[str, Any], words: str
) -> None:
    edit(models / "residual", **changes)
    with pytest.raises(UserError, match=words):
        enter_all([("residual", models / "residual")], "toy")
