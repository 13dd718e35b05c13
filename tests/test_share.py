import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ros_mbmrl import share
from ros_mbmrl.arguments.score import Score
from ros_mbmrl.arguments.shipped import MODEL, RECIPE
from ros_mbmrl.arguments.train import Train
from ros_mbmrl.errors import UserError


def test_the_checkout_has_the_hexapod() -> None:
    assert share.sim_path("hexapod.xml").name == "hexapod.xml"


@pytest.mark.parametrize("where", ["sys.prefix", "AMENT_PREFIX_PATH"])
def test_installed_files_are_found_in_share(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "share" / "ros_mbmrl" / "sim"
    folder.mkdir(parents=True)
    (folder / "other.xml").write_text("<mujoco/>")
    if where == "sys.prefix":
        monkeypatch.setattr(sys, "prefix", str(tmp_path))
    else:
        monkeypatch.setenv("AMENT_PREFIX_PATH", f"/nowhere:{tmp_path}")
    assert share.sim_path("other.xml") == folder / "other.xml"


def test_a_missing_file_is_named() -> None:
    with pytest.raises(UserError, match=r"no simulation file 'octopod.xml'"):
        share.sim_path("octopod.xml")


def test_models_and_recipes_go_by_name_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    grbal = share.by_name(MODEL, Path("hexapod/grbal"))
    assert (grbal / "card.yaml").is_file()
    assert share.by_name(MODEL, Path("hexapod")) == grbal.parent
    assert share.by_name(RECIPE, Path("hexapod_twin")).name == "hexapod_twin.yaml"


def test_a_path_that_exists_wins_and_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "hexapod" / "grbal"
    own.mkdir(parents=True)
    for name in ("hexapod/grbal", "nothing", "../hexapod/mb", str(tmp_path), "."):
        assert share.by_name(MODEL, Path(name)) == Path(name)


def test_names_in_a_commands_arguments_are_resolved() -> None:
    given = Train("mb", "hexapod", Path("o"), recipe=Path("ant_twin"), data=(Path("hexapod/mb"),))
    found = share.with_shipped(given)
    assert found.recipe is not None and found.recipe.is_file()
    assert replace(found, recipe=given.recipe) == given  # data are not models
    score = share.with_shipped(Score((Path("ant/mb"), Path("x")), data=()))
    assert [path.is_dir() for path in score.models] == [True, False]


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        (MODEL, "octopod/mb", "a shipped model as ROBOT/METHOD, .* of ant, arm_7dof,"),
        (MODEL, "ant/grbl", "expected a folder, or one of ant/.*; did you mean 'ant/grbal'?"),
        (RECIPE, "ant_twn", "expected a file, or one of ant_twin, .*did you mean 'ant_twin'?"),
    ],
)
def test_a_message_says_what_is_shipped(kind: str, name: str, said: str) -> None:
    assert re.search(said, share.what_is_shipped(kind, Path(name)))
