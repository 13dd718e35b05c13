"""`mbmrl bounds`: a table of a run, a figure without one, one line for bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ros_mbmrl import cli

TINY = """
episodes: 3
horizon: 20
rows: 4
tests: 2
hidden: [8]
validation: {every: 1, tolerance: 1, updates: 2, episodes: 2}
model: {members: 2, hidden: [8], supervised_steps: 10, validate_every: 5, rows: 16}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    (folder / "recipe.yaml").write_text(TINY)
    words = ["--recipe", str(folder / "recipe.yaml"), "--budget", "120"]
    cli.main(["train", "me_trpo", "half_cheetah", "--out", str(folder / "p"), *words])
    return folder / "p"


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as caught:
        cli.main(["bounds", *words])
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    return told


def test_a_run_and_the_figure(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, figure = tmp_path / "b.json", tmp_path / "f.png"
    cli.main(["bounds", str(run), "--figure", str(figure), "--json", str(report)])
    results = json.loads(report.read_text())["results"]
    inputs = {row["name"]: row["value"] for row in results["inputs"]}
    assert inputs["gamma"] == 0.99 and 0 < inputs["epsilon_pi"] <= 1
    assert len(results["bounds"]) == 10 and figure.is_file()
    for bound in results["bounds"]:
        assert (bound["value"] is None) == bool(bound["why"])
    assert "vacuous" in capsys.readouterr().out


def test_a_figure_alone(tmp_path: Path) -> None:
    cli.main(["bounds", "--figure", str(tmp_path / "f.png")])
    assert (tmp_path / "f.png").is_file()


def test_bad_input(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "expected the folder of a run, or --figure" in refused(capsys)
    assert "longest episode, 20, got 21" in refused(capsys, str(run), "--horizon", "21")
    assert "got 0" in refused(capsys, str(run), "--horizon", "0")
    assert "discount < 1, got 1" in refused(capsys, str(run), "--discount", "1")
    assert "no model folder" in refused(capsys, str(tmp_path / "none"))
    (run / "checkpoint.safetensors").rename(tmp_path / "kept")
    assert "no checkpoint.safetensors: expected the run's data" in refused(capsys, str(run))
    (tmp_path / "kept").rename(run / "checkpoint.safetensors")


def test_a_policy_that_learned_in_no_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--set", "tasks=1", "--set", "inner.episodes=1", "--set", "inner.horizon=10"]
    words += ["--budget", "20", "--set", "hidden=[8]"]
    cli.main(["train", "maml_rl", "point_centre", "--out", str(tmp_path / "p"), *words])
    assert "learned in no model" in refused(capsys, str(tmp_path / "p"))
