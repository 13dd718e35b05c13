"""`mbmrl evaluate STUDY --models`: a table of models that are there, and what users get wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ros_mbmrl import cli

MODELS = Path(__file__).parents[2] / "models"
STUDY = "cheetah-disabled"


def test_shipped_models_are_judged_without_learning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "result.json"
    words = ["--models", str(MODELS / "half_cheetah"), "--methods", "mb", "random", "--seeds", "2"]
    more = ["--scale", "smoke", "--first-seed", "40", "--workers", "1", "--out", str(tmp_path)]
    cli.main(["evaluate", STUDY, *words, *more, "--json", str(file)])
    results = json.loads(file.read_text())["results"]
    assert {r["method"] for r in results["rows"]} == {"mb", "random"}
    assert {r["seed"] for r in results["rows"]} == {40, 41}
    assert len(results["summary"]["returns"]) == 2 * 3
    assert (tmp_path / "models.html").read_text().count("<table>") == 2
    assert "left out" not in capsys.readouterr().out
    assert not (tmp_path / "models").exists()  # nothing was learned


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--models", "none"], "no folder 'none' of model folders"),
        (["--models", str(MODELS / "ant")], "models for ant: expected one for half_cheetah"),
        (
            ["--models", str(MODELS), "--methods", "trpo"],
            "unknown model or reference 'trpo': expected one of bayes_context, ",
        ),
        (
            ["--models", str(MODELS), "--train-seeds", "2"],
            "--train-seeds: --models are not trained",
        ),
        (["--models", str(MODELS), "--controller", "cem"], "--controller: a study has its own"),
        (["--models", str(MODELS), "--scale", "huge"], "unknown scale 'huge'"),
        (["--models", str(MODELS), "--seeds", "0"], "episodes: expected at least 1, got 0"),
    ],
)
def test_what_users_get_wrong_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["evaluate", STUDY, "--out", str(tmp_path / "out"), *words])
    assert stop.value.code == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert message in said.err
    assert not (tmp_path / "out").exists()


def test_a_study_s_own_folder_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "description.json").write_text("{}")
    words = ["--models", str(MODELS), "--out", str(tmp_path)]
    with pytest.raises(SystemExit) as stop:
        cli.main(["evaluate", STUDY, *words])
    assert stop.value.code == 2
    assert "holds a study: expected another folder" in capsys.readouterr().err
