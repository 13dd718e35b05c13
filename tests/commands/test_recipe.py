"""Settings of a training: the recipe's, and `--set` on top."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.commands.recipe import read_settings, told
from ros_mbmrl.errors import UserError

RECIPE = "batch: 8\noptions: {steps: 1, hidden: 4}\ngrbal: {batch: 4}\nmb: {batch: 2}\n"


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    return path


def test_words_win_over_the_methods_section_and_that_over_the_rest(recipe: Path) -> None:
    assert read_settings(recipe, "rebal", [])["batch"] == 8
    assert read_settings(recipe, "grbal", [])["batch"] == 4
    assert read_settings(recipe, "grbal", ["batch=3", "batch=5"])["batch"] == 5
    assert set(read_settings(recipe, "grbal", [])) == {"batch", "options"}


def test_a_dotted_name_leaves_the_other_settings_beside_it(recipe: Path) -> None:
    settings = read_settings(recipe, "grbal", ["options.steps=3", "step.region.max_kl=1e-2"])
    assert settings["options"] == {"steps": 3, "hidden": 4}
    assert settings["step"] == {"region": {"max_kl": 0.01}}


def test_values_are_what_yaml_says() -> None:
    words = ["a=1e-3", "b=true", "c=[8, 16]", "d=silu", "e={f: 2}", "g=a=b"]
    expected = {"a": 0.001, "b": True, "c": [8, 16], "d": "silu", "e": {"f": 2}, "g": "a=b"}
    assert read_settings(None, "mb", words) == expected


@pytest.mark.parametrize("word", ["batch", "=3", "a..b=1", "a b=1", "a=[1"])
def test_a_word_that_sets_nothing_is_refused(word: str) -> None:
    with pytest.raises(UserError, match=r"^--set .*: (expected NAME=VALUE|not plain YAML)"):
        read_settings(None, "mb", [word])


def test_an_error_says_where_it_was_set(recipe: Path) -> None:
    wrong = ValueError("batch: expected an integer of at least 1, got 0")
    assert str(told(recipe, ["batch=0"], wrong)).startswith("--set batch=0: batch: expected")
    assert str(told(recipe, ["rows=9"], wrong)).startswith(f"recipe {recipe}: batch: expected")
    assert str(told(None, [], wrong)) == str(wrong)


def test_a_recipe_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^recipe: no file .*hexapod_twin") as caught:
        read_settings(tmp_path / "hexapd_twin", "mb", [])
    assert "\n" not in str(caught.value)
