"""`mbmrl evaluate` on an untrained model: rows, report, resuming, and what users get wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from ros_mbmrl import cli
from ros_mbmrl.dynamics.card import CARD
from ros_mbmrl.dynamics.files import save_model
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.evaluation import campaign, experiments, films
from ros_mbmrl.evaluation.experiments import Condition, Experiment
from ros_mbmrl.methods.built_in import BASELINE
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.robots import make_robot

TINY = Experiment(
    "tiny",
    "Tiny",
    (Condition("plain", "plain"), Condition("midrun", "plain", "leg_left_middle", 0.5)),
    ("straight",),
    (BASELINE, "residual", "grbal"),
)
KEYS = {
    "method",
    "train_seed",
    "condition",
    "path",
    "seed",
    "cross_track_mean_m",
    "cross_track_max_m",
    "progress_m_s",
    "return",
    "prediction_error_prior",
    "prediction_error_adapted",
    "safety_stops",
    "plan_ms_p50",
}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Folders of an untrained network, as `mb` and as `residual`."""
    return _save(tmp_path, seed=3)


def _save(folder: Path, seed: int, methods: tuple[str, ...] = ("mb", "residual")) -> Path:
    robot = make_robot("hexapod")
    inputs = len(robot.spec.features) + len(robot.spec.action)
    outputs = len(robot.spec.changes)
    mlp = MLP((inputs, 8, outputs), "tanh")
    parameters = mlp.init(torch.Generator().manual_seed(seed))
    small = 0.01 * torch.ones(outputs)
    normalizer = Normalizer(torch.zeros(inputs), torch.ones(inputs), 0 * small, small)
    for method in methods:
        facts = {"method": method, "options": {}, "adapt_window": 8, "seed": seed}
        save_model(folder / method, DynamicsModel(robot, mlp, normalizer), parameters, facts)
    return folder


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """An experiment of two episodes a method."""
    known = {**experiments.EXPERIMENTS, TINY.name: TINY}
    monkeypatch.setattr(experiments, "EXPERIMENTS", known)


def test_films_are_of_existing_models(
    models: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(films, "of_job", lambda job: ([np.zeros((2, 2, 3), np.uint8)], 0.1))
    result = _evaluate(models, "--video", "--methods", "mb", "residual")
    assert [Path(path).name for path in result["films"]] == ["film_mb.gif", "film_residual.gif"]
    for name in ("cheetah-disabled", "me-trpo", "base-ablation"):
        with pytest.raises(SystemExit) as caught:
            cli.main(["evaluate", name, "--video"])
        assert caught.value.code == 2
        assert "--video: only existing models are filmed" in capsys.readouterr().err


def _evaluate(models: Path, *words: str) -> dict[str, Any]:
    out, file = models / "out", models / "result.json"
    fixed = ["--models", str(models), "--seeds", "1", "--duration", "1", "--out", str(out)]
    cli.main(["evaluate", "tiny", *fixed, "--workers", "1", "--json", str(file), *words])
    result: dict[str, Any] = json.loads(file.read_text())["results"]
    return result


def test_rows_summary_and_report(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = _evaluate(models)
    rows = result["rows"]
    names = [(row["condition"], row["method"]) for row in rows]
    assert names == [(c, m) for c in ("plain", "midrun") for m in ("mb", "residual")]
    for row in rows:
        assert row.keys() >= KEYS
        assert (row["train_seed"], row["seed"], row["path"]) == (3, 1000, "straight")
        assert row["cross_track_mean_m"] <= row["cross_track_max_m"]
    assert [row["condition"] for row in result["summary"]] == sorted(
        ["plain", "midrun", "all"] * 2, key=["plain", "midrun", "all"].index
    )
    assert [(r["method"], r["train_seed"], r["n"]) for r in result["by_train_seed"]] == [
        *(("mb", 3, 2), ("residual", 3, 2)),
    ]
    for row in result["summary"]:
        assert (row["n_train_seeds"], row["n_episodes"]) == (
            1,
            2 if row["condition"] == "all" else 1,
        )
        assert row["ratio_to_mb"] == pytest.approx(1.0) or row["method"] == "residual"
        assert row["ratio_to_mb_de"] is None  # it did not take part
    page = (models / "out" / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 4
    assert "ratio to mb_de" not in page
    assert 'src="http' not in page

    monkeypatch.setattr(campaign, "run_job", None)  # running anything again would fail
    assert _evaluate(models)["rows"] == rows


def test_folders_are_training_seeds(models: Path) -> None:
    other = _save(models / "other", seed=4)
    result = _evaluate(models, "--models", str(models), str(other), "--versus", "residual")
    seeds = [(r["method"], r["train_seed"]) for r in result["rows"] if r["condition"] == "plain"]
    assert seeds == [(m, seed) for seed in (3, 4) for m in ("mb", "residual")]
    last = result["summary"][-1]
    assert (last["n_train_seeds"], last["n_episodes"], last["n"]) == (2, 2, 4)
    assert last["ratio_to_residual"] == 1.0
    assert "ratio_to_mb" not in last
    assert "over 2 training seeds and the episodes" in (models / "out" / "report.html").read_text()


def test_only_methods_that_every_folder_has_take_part_unless_named(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = _save(models / "other", seed=4, methods=("mb",))
    both = ["--models", str(models), str(other)]
    result = _evaluate(models, *both)
    assert {row["method"] for row in result["rows"]} == {"mb"}
    message = f"no model for method 'residual': expected a folder {other / 'residual'}"
    _refused(capsys, ["tiny", *both, "--methods", "mb", "residual"], message)


def test_two_models_of_a_method_and_training_seed_are_refused(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _save(models / "other", seed=4)
    card = models / "other" / "mb" / CARD
    card.write_text(card.read_text().replace("seed: 4", "seed: 3"))
    message = "two models of method 'mb' and training seed 3"
    _refused(capsys, ["tiny", "--models", str(models), str(models / "other")], message)


def test_the_same_folder_twice_is_one_training_seed(models: Path) -> None:
    result = _evaluate(models, "--models", str(models), str(models), "--methods", "mb")
    assert len(result["rows"]) == 2


def test_processes_of_their_own_give_the_same_rows(models: Path) -> None:
    def told(result: dict[str, Any]) -> list[dict[str, Any]]:
        return [{k: v for k, v in row.items() if "_ms_" not in k} for row in result["rows"]]

    here = told(_evaluate(models, "--methods", "mb"))
    elsewhere = ("--workers", "2", "--out", str(models / "other"))
    assert told(_evaluate(models, "--methods", "mb", *elsewhere)) == here


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["walk"], "unknown experiment 'walk'"),
        (["tiny", "--methods", "grbal"], "no model for method 'grbal'"),
        (["tiny", "--models", "nowhere"], "no folder 'nowhere' of model folders"),
        (["tiny", "--seeds", "0"], "seeds >= 1"),
        (["tiny", "--versus", "mbb"], "unknown opponent 'mbb'"),
        (["tiny", "--duration", "0"], "duration: expected at least 1 second"),
        (["tiny", "--workers", "0"], "workers: expected at least 1"),
    ],
)
def test_what_users_get_wrong_is_one_line(
    models: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    given = words if "--models" in words else [*words, "--models", str(models)]
    _refused(capsys, given, message)


def test_models_of_different_robots_are_refused(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = models / "residual" / CARD
    card.write_text(yaml.safe_dump({**yaml.safe_load(card.read_text()), "robot": "arm"}))
    message = f"robots: {models / 'mb'} for hexapod, {models / 'residual'} for arm"
    _refused(capsys, ["tiny", "--models", str(models)], message)


def test_a_folder_without_models_names_what_was_expected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _refused(capsys, ["tiny", "--models", str(tmp_path)], "expected mb, residual, grbal")


@pytest.mark.parametrize(
    ("experiment", "option", "value"),
    [
        ("ant-crippled", "versus", "mb"),
        ("ant-crippled", "duration", "3"),
        ("hexapod-ood", "scale", "small"),
        ("hexapod-ood", "train-seeds", "2"),
    ],
)
def test_what_would_not_count_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    experiment: str,
    option: str,
    value: str,
) -> None:
    words = [experiment, f"--{option}", value, "--out", str(tmp_path / "out")]
    _refused(capsys, words, f"expected none with {experiment}")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "models").write_text("no folder")
    words = ["ant-crippled", "--scale", "smoke", "--methods", "mb", "--workers", "1"]
    with pytest.raises(SystemExit) as stop:
        cli.main(["evaluate", *words, "--out", str(tmp_path)])
    assert stop.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("mbmrl evaluate: ") and said.count("\n") == 1
    assert "models/collector/0" in said


def _refused(capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["evaluate", *words])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_another_planner_is_another_run(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    usual = _evaluate(models, "--methods", "mb")["rows"]
    other = _evaluate(models, "--methods", "mb", "--controller", "random_shooting")["rows"]
    assert [row["return"] for row in usual] != [row["return"] for row in other]
    assert _evaluate(models, "--methods", "mb", "--controller", "icem")["rows"] == usual
    with pytest.raises(SystemExit) as ended:
        _evaluate(models, "--methods", "mb", "--controller", "policy")
    assert ended.value.code == 2
    assert "expected a policy's folder" in capsys.readouterr().err
