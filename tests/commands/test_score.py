"""`mbmrl score`: rows with the keys that others read, on common windows."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from ros_mbmrl import cli
from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.commands.score import _rows
from ros_mbmrl.data import dataset
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import save_model
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.learning.open_loop import OpenLoopErrors
from ros_mbmrl.networks.ensemble import Ensemble, unstacked
from ros_mbmrl.networks.mlp import Parameters

KEYS = {"model", "tag", "horizon", "adapter", "n", "median", "mean", "p99", "worst_ratio"}
KEYS |= {"improved_fraction", "train_seed", "worse_than_1_05_fraction", "window_worst_ratio"}


@pytest.fixture
def folder(
    tmp_path: Path,
    registered: Any,
    prior: tuple[DynamicsModel, Parameters],
    make_rollouts: Callable[..., list[Rollout]],
) -> Path:
    """Two models that differ in method and window, and data; sessions 0 and 1 were trained on."""
    dataset.save(tmp_path / "data", make_rollouts(6, steps=30, seed=5))
    for method, window in (("residual", 8), ("mb_de", 12)):
        facts = {"method": method, "adapt_window": window, "sessions": ["0", "1"], "seed": 0}
        save_model(tmp_path / method, *prior, facts)
    return tmp_path


def score(folder: Path, *more: str, models: tuple[str, ...] = ("residual", "mb_de")) -> list[Any]:
    arguments = ["score", *(str(folder / name) for name in models), "--data"]
    arguments += [str(folder / "data"), "--json", str(folder / "score.json")]
    cli.main([*arguments, *more])
    rows: list[Any] = json.loads((folder / "score.json").read_text())["results"]["rows"]
    return rows


def status_of(folder: Path, *more: str, models: tuple[str, ...] = ("residual", "mb_de")) -> int:
    with pytest.raises(SystemExit) as caught:
        score(folder, *more, models=models)
    return int(str(caught.value.code))


def copy(folder: Path, model: str, to: str, **facts: Any) -> None:
    """The model under the same name in the folder `to`, its card changed."""
    shutil.copytree(folder / model, folder / to / model)
    card = folder / to / model / "card.yaml"
    card.write_text(yaml.safe_dump({**yaml.safe_load(card.read_text()), **facts}))


def test_one_row_for_each_model_tag_horizon_and_adapter(folder: Path) -> None:
    rows = score(folder)
    assert all(row.keys() >= KEYS for row in rows)
    got = [(row["model"], row["tag"], row["horizon"], row["adapter"]) for row in rows]
    assert got == [
        (model, tag, horizon, adapter)
        for model in ("residual", "mb_de")
        for tag in ("flat", "hill", "all")
        for horizon in (1, 8)
        for adapter in ("prior", "adapted")
    ]
    numbers = [row[key] for row in rows for key in KEYS - {"model", "tag", "adapter"}]
    assert all(math.isfinite(number) for number in numbers)


def test_models_are_judged_on_common_windows(folder: Path) -> None:
    rows = score(folder)
    # four unseen runs of 30: the longest window and horizon, 12 + 8, leave 11 starts each
    assert {row["n"] for row in rows if row["tag"] == "all"} == {44}
    assert {row["n"] for row in rows if row["tag"] == "flat"} == {22}
    priors = [
        {k: v for k, v in row.items() if k != "model"} for row in rows if row["adapter"] == "prior"
    ]
    assert priors[:6] == priors[6:]  # both are the same network


def test_the_prior_is_the_same_with_and_without_the_guard(folder: Path) -> None:
    on, off = score(folder), score(folder, "--no-guard")
    assert [r for r in on if r["adapter"] == "prior"] == [r for r in off if r["adapter"] == "prior"]
    assert on != off
    assert all(r["accepted_fraction"] == 1.0 for r in off if r["adapter"] == "adapted")


@pytest.mark.parametrize("method", ["grbal", "rebal"])
def test_an_ensemble_of_equal_members_scores_as_one_network(
    folder: Path, prior: tuple[DynamicsModel, Parameters], method: str
) -> None:
    model, network = prior
    g = torch.Generator().manual_seed(0)
    own = make_rule(method).init(model.mlp, network, g)
    own = {name: value + 0.1 * torch.randn(value.shape, generator=g) for name, value in own.items()}
    facts = {"method": method, "adapt_window": 8, "sessions": ["0", "1"], "seed": 0}
    save_model(folder / "one", model, network | own, facts)
    many = replace(model, mlp=Ensemble(model.mlp.sizes, model.mlp.activation, 3))
    save_model(folder / "many", many, unstacked([network | own] * 3), facts)
    one, whole = (score(folder, models=(name,)) for name in ("one", "many"))
    assert any(row["accepted_fraction"] for row in one)
    for row, other in zip(one, whole, strict=True):
        figures = {k: v for k, v in row.items() if isinstance(v, float)}
        assert {k: other[k] for k in figures} == pytest.approx(figures, rel=1e-3, abs=1e-5)


def test_sessions_that_were_trained_on_are_left_out_unless_asked_for(folder: Path) -> None:
    seen = score(folder, "--sessions", "all")
    assert {row["n"] for row in seen if row["tag"] == "all"} == {66}


def test_another_tag_and_other_horizons(folder: Path) -> None:
    rows = score(folder, "--tag", "session", "--horizons", "2", "3", "5")
    assert {row["tag"] for row in rows} == {"2", "3", "4", "5", "all"}
    assert {row["horizon"] for row in rows} == {2, 3, 5}


@pytest.mark.parametrize(
    ("more", "models", "words"),
    [
        (("--sessions", "some"), ("residual",), "sessions 'some': expected unseen or all"),
        (("--horizons", "0"), ("residual",), "horizons of at least 1"),
        (("--horizons", "29"), ("residual",), "nothing to judge"),
        ((), ("none",), "no model folder"),
        ((), ("residual", "twin/residual"), "two models of method 'residual' and training seed 0"),
        ((), ("residual", "other/mb_de"), "models of different robots"),
    ],
)
def test_bad_input_is_one_line(
    folder: Path,
    more: tuple[str, ...],
    models: tuple[str, ...],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    copy(folder, "residual", "twin", notes="another")
    copy(folder, "mb_de", "other", robot="arm")
    assert status_of(folder, *more, models=models) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_every_session_trained_on_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = folder / "residual" / "card.yaml"
    content = yaml.safe_load(card.read_text())
    card.write_text(yaml.safe_dump({**content, "sessions": [str(k) for k in range(6)]}))
    assert status_of(folder, models=("residual",)) == 2
    assert "every session was trained on" in capsys.readouterr().err


def test_marked_windows_alone_can_be_judged(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(folder, "--marked") == 2  # these runs have no marks
    assert "nothing to judge" in capsys.readouterr().err


def test_models_of_a_name_are_told_apart_by_training_seed(folder: Path) -> None:
    copy(folder, "residual", "1", seed=1)
    rows = score(folder, models=("residual", "1/residual"))
    assert [(row["model"], row["train_seed"]) for row in rows[::12]] == [
        *(("residual", 0), ("residual", 1)),
    ]
    summary = json.loads((folder / "score.json").read_text())["results"]["summary"]
    assert {(row["method"], row["n_train_seeds"]) for row in summary} == {("residual", 2)}


def test_a_report_is_written_where_one_is_asked_for(folder: Path) -> None:
    shutil.copytree(folder / "mb_de", folder / "mb")
    score(folder, "--out", str(folder / "report"), models=("mb", "residual"))
    page = (folder / "report" / "score.html").read_text()
    assert page.count("data:image/png;base64,") == 2  # a horizon each
    assert "mean of terrains" in page
    score(folder, "--out", str(folder / "bare"), models=("residual",))
    assert "data:image" not in (folder / "bare" / "score.html").read_text()


def test_windows_are_compared_with_settings_chosen_on_a_tag(folder: Path) -> None:
    more = ("--windows", "8", "24", "--methods", "residual", "--chosen-on", "flat")
    score(folder, *more, models=("residual",))
    rows = json.loads((folder / "score.json").read_text())["results"]["windows"]
    assert [(row["window"], row["group"], row["horizon"]) for row in rows] == [
        (window, terrain, horizon)
        for window in (8, 24, 0)
        for terrain in ("flat", "hill")
        for horizon in (1, 8)
    ]
    assert {row["runs"] for row in rows} == {2}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ((), "windows: expected one model, and what settings are chosen on"),
        (("--chosen-on", "flat", "--marked"), "windows: expected neither --marked nor --out"),
        (("--chosen-on", "moss"), "no data with terrain 'moss': there is flat, hill"),
        (("--chosen-on", "flat", "--methods", "grbal"), "unknown method to compare windows of"),
    ],
)
def test_windows_that_cannot_be_compared_are_refused(
    folder: Path, more: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(folder, "--windows", "8", *more, models=("residual",)) == 2
    assert words in capsys.readouterr().err


def test_ratios_of_a_window_by_hand() -> None:
    normalised = torch.tensor(
        [
            [[1.0, 1.0], [1.0, 0.1], [2.0, 2.0], [1.0, 1.0]],
            [[1.0, 0.5], [1.0, 1.1], [2.0, 2.06], [1.0, 1.06]],
        ]
    )
    errors = OpenLoopErrors(
        normalised, normalised, normalised, torch.ones(4).bool(), torch.arange(4)
    )
    prior, adapted = _rows(2, errors, torch.ones(4).bool())
    assert adapted["worst_ratio"] == pytest.approx(11.0)
    assert adapted["window_worst_ratio"] == pytest.approx(2.1 / 1.1)
    assert adapted["improved_fraction"] == pytest.approx(0.25)
    assert adapted["worse_than_1_05_fraction"] == pytest.approx(0.5)
    assert (prior["worst_ratio"], prior["window_worst_ratio"]) == (1.0, 1.0)


def test_calibration_is_of_ensembles_with_gaussian_heads(
    folder: Path, prior: tuple[DynamicsModel, Parameters]
) -> None:
    model = prior[0]
    mlp = Ensemble(model.mlp.sizes, model.mlp.activation, 2, "gaussian")
    parameters = mlp.init(torch.Generator().manual_seed(0))
    facts = {"method": "mb", "adapt_window": 8, "sessions": ["0", "1"], "seed": 0}
    save_model(folder / "mb", replace(model, mlp=mlp), parameters, facts)
    score(folder, "--calibration", "--out", str(folder / "out"), models=("mb",))
    found = json.loads((folder / "score.json").read_text())["results"]["calibration"]
    assert [(r["model"], r["tag"], r["horizon"]) for r in found["coverage"]] == [
        ("mb", tag, horizon) for tag in ("flat", "hill", "all") for horizon in (1, 8)
    ]
    assert all(0 < row["coverage_50"] <= row["coverage_99"] <= 1 for row in found["coverage"])
    assert found["detection"] == []  # nothing changed in these runs
    assert (folder / "out" / "coverage.png").is_file()
    assert status_of(folder, "--calibration") == 2  # the others have none
