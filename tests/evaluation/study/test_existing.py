"""Models that are there: how they are found, what they are called, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.dynamics.card import CARD, POLICY, WEIGHTS, write_card
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.study.existing import Entrant, choose_entrants, find_entrants

ROBOT = "half_cheetah"
MODELS = Path(__file__).parents[3] / "models"
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a folder with a card, and a file in place of the weights."""

    def make(where: str, method: str = "mb", weights: str = WEIGHTS, **facts: Any) -> Path:
        folder = tmp_path / where
        folder.mkdir(parents=True)
        write_card(folder, {"robot": ROBOT, "method": method, "seed": 0, **facts})
        (folder / weights).write_text("")
        return folder

    return make


def named(folder: Path) -> dict[str, tuple[str, int | None]]:
    """The method and the training seed of what is found, by its label."""
    return {e.label: (e.method, e.train_seed) for e in find_entrants(ROBOT, [folder])}


def test_a_study_s_models_are_called_by_their_method(make: Make, tmp_path: Path) -> None:
    make("models/grbal/0", "grbal")
    make("models/grbal/0/rounds/3", "grbal")
    make("models/collector/0")
    make("models/mb_oracle-unseen/0")
    make("models/trpo/0", "trpo", POLICY)
    assert named(tmp_path) == {
        "collector (mb)": ("mb", 0),
        "grbal": ("grbal", 0),
        "mb_oracle-unseen (mb)": ("mb", 0),
        "trpo": ("trpo", 0),
    }


def test_training_seeds_are_told_apart_wherever_their_number_stands(
    make: Make, tmp_path: Path
) -> None:
    make("study/grbal/0", "grbal")
    make("study/grbal/1", "grbal", seed=1)
    make("trained/2/grbal", "grbal", seed=2)
    found = find_entrants(ROBOT, [tmp_path / "study", tmp_path / "trained"])
    assert [(e.name, e.train_seed) for e in found] == [("grbal", 0), ("grbal", 1), ("grbal", 2)]


def test_the_folder_may_be_a_model_itself(make: Make) -> None:
    assert named(make("mine", "causes", seed=None)) == {"mine (causes)": ("causes", None)}
    assert named(make("fast/7", "mb", seed=0)) == {"fast/7 (mb)": ("mb", 0)}


@pytest.mark.parametrize("robot", ["half_cheetah", "ant", "arm_7dof"])
def test_the_shipped_ones_are_found(robot: str) -> None:
    several = {e.label for e in find_entrants(robot, [MODELS / robot])}
    assert {"mb", "grbal", "rebal"} <= several
    assert {e.label for e in find_entrants(robot, [MODELS])} == several  # among other robots'


def test_the_same_model_given_twice_is_one(make: Make, tmp_path: Path) -> None:
    folder = make("mb")
    assert len(find_entrants(ROBOT, [folder, tmp_path])) == 1


def test_what_users_get_wrong_is_one_line(make: Make, tmp_path: Path) -> None:
    def refused(*folders: Path) -> str:
        with pytest.raises(UserError) as error:
            find_entrants(ROBOT, folders)
        assert "\n" not in str(error.value)
        return str(error.value)

    (tmp_path / "empty").mkdir()
    assert "no folder" in refused(tmp_path / "none")
    assert "no model in" in refused(tmp_path / "empty")
    assert "models for ant: expected one for half_cheetah" in refused(make("ant", robot="ant"))
    assert "seed 'x' in the card" in refused(make("seed", seed="x"))
    assert "unknown method 'clever'" in refused(make("clever", "clever"))
    assert "unknown field 'colour' in the card" in refused(make("field", colour="red"))
    broken = make("broken")
    (broken / WEIGHTS).unlink()
    assert f"no {WEIGHTS}" in refused(broken)
    (broken / CARD).write_text("[1")
    assert CARD in refused(broken)
    two = make("a/mb"), make("b/mb")
    assert "two models called 'mb' of training seed 0: expected another seed" in refused(*two)


def test_by_default_a_study_s_further_models_stay_out() -> None:
    found = [
        Entrant(name, method, 0, Path(name))
        for name, method in (
            *(("mb", "mb"), ("mine", "mb"), ("collector", "mb")),
            *(("mb_oracle-unseen", "mb"), ("grbal-window-8", "grbal")),
        )
    ]
    assert [e.name for e in choose_entrants(found, (), ())] == ["mb", "mine"]
    assert [e.name for e in choose_entrants(found[2:4], (), ())] == [
        "collector",
        "mb_oracle-unseen",
    ]
    named = choose_entrants(found, ("grbal", "mb_oracle-unseen", "random"), ("random",))
    assert [e.name for e in named] == ["mb_oracle-unseen", "grbal-window-8"]
    with pytest.raises(UserError, match="unknown model or reference 'random': expected one of"):
        choose_entrants(found, ("random",), ())
