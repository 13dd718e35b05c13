"""`mbmrl evaluate` on an untrained model: rows, report, resuming, and what users get wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from ros_mbmrl import cli
from ros_mbmrl.dynamics.files import CARD, save_model
from ros_mbmrl.dynamics.mlp import MLP
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.evaluation import campaign, experiments
from ros_mbmrl.evaluation.experiments import BASELINE, Condition, Experiment
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
    robot = make_robot("hexapod")
    inputs = len(robot.spec.features) + len(robot.spec.action)
    outputs = len(robot.spec.changes)
    mlp = MLP((inputs, 8, outputs), "tanh")
    parameters = mlp.init(torch.Generator().manual_seed(0))
    small = 0.01 * torch.ones(outputs)
    normalizer = Normalizer(torch.zeros(inputs), torch.ones(inputs), 0 * small, small)
    for method in ("mb", "residual"):
        facts = {"method": method, "options": {}, "adapt_window": 8, "seed": 3}
        save_model(tmp_path / method, DynamicsModel(robot, mlp, normalizer), parameters, facts)
    return tmp_path


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """An experiment of two episodes a method."""
    known = {**experiments.EXPERIMENTS, TINY.name: TINY}
    monkeypatch.setattr(experiments, "EXPERIMENTS", known)


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
    page = (models / "out" / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 3
    assert 'src="http' not in page

    monkeypatch.setattr(campaign, "run_job", None)  # running anything again would fail
    assert _evaluate(models)["rows"] == rows


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
    message = "models of different robots: mb for hexapod, residual for arm"
    _refused(capsys, ["tiny", "--models", str(models)], message)


def test_a_folder_without_models_names_what_was_expected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _refused(capsys, ["tiny", "--models", str(tmp_path)], "expected mb, residual, grbal")


def _refused(capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["evaluate", *words])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
