"""Who takes part: model folders by method and training seed, refused before anything is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ros_mbmrl.dynamics.files import save_model
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.entrants import common_robot, enter_all, enter_methods
from ros_mbmrl.networks.mlp import Parameters

Prior = tuple[DynamicsModel, Parameters]


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


def test_the_same_model_twice_is_one(models: Path) -> None:
    named = [("mb", models / "mb"), ("residual", models / "residual"), ("mb", models / "mb")]
    entered = enter_all(named, "toy")
    assert [(e.method, e.train_seed) for e in entered] == [("mb", 2), ("residual", 2)]
    assert common_robot([models / "mb", models / "residual"]) == "toy"


def test_without_names_those_take_part_that_every_folder_has(models: Path) -> None:
    entered = enter_methods("toy", ("grbal", "mb", "residual"), (), [models])
    assert [entrant.method for entrant in entered] == ["mb", "residual"]


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
