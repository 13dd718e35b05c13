"""`mbmrl tune` on untrained models: the card, resuming, and what users get wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from ros_mbmrl import cli
from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.guard import make_guard
from ros_mbmrl.data import dataset
from ros_mbmrl.data.files import sha256_of
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.card import CARD, WEIGHTS, read_card
from ros_mbmrl.dynamics.files import load_model, save_model
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import RunError
from ros_mbmrl.evaluation import campaign, experiments
from ros_mbmrl.evaluation.campaign import Job
from ros_mbmrl.evaluation.experiments import Condition, Experiment
from ros_mbmrl.learning.tune import grid_of
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.robots import make_robot

TINY = Experiment("tiny", "Tiny", (Condition("plain", "plain"),), ("straight",), ("mb",))


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of an untrained network, as `mb` and as `context`; an experiment of one cell."""
    robot = make_robot("hexapod")
    inputs = len(robot.spec.features) + len(robot.spec.action)
    outputs = len(robot.spec.changes)
    mlp = MLP((inputs, 8, outputs), "tanh")
    small = 0.01 * torch.ones(outputs)
    normalizer = Normalizer(torch.zeros(inputs), torch.ones(inputs), 0 * small, small)
    options: dict[str, dict[str, Any]] = {"mb": {}, "context": {"hidden": 5}}
    for method in options:
        generator = torch.Generator().manual_seed(0)
        parameters = mlp.init(generator)
        own = make_rule(method, options[method]).init(mlp, parameters, generator)
        facts = {"method": method, "options": options[method], "adapt_window": 8, "seed": 3}
        facts |= {"scores": {"open_loop_after": 1.0}, "guard": {"folds": 4, "margin": 0.9}}
        model = DynamicsModel(robot, mlp, normalizer)
        save_model(tmp_path / method, model, {**parameters, **own}, facts)
    monkeypatch.setattr(experiments, "EXPERIMENTS", {**experiments.EXPERIMENTS, "tiny": TINY})
    return tmp_path


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """The episodes that were asked for; their outcome is a formula of the candidate's card."""
    jobs: list[Job] = []

    def run_job(job: Job) -> tuple[str, dict[str, Any]]:
        jobs.append(job)
        return job.key, {"cross_track_mean_m": formula(read_card(job.entrant.folder))}

    monkeypatch.setattr(campaign, "run_job", run_job)
    return jobs


def formula(card: dict[str, Any]) -> float:
    """Lowest at gain 0.75, bias step 3, window 32, start 4."""
    options = card["options"]
    off = abs(options.get("gain", 0.75) - 0.75) + abs(options.get("bias_step", 3.0) - 3.0)
    off += (32 - card["adapt_window"]) / 100 + card["guard"]["min_transitions"] / 1000
    return float(off)


def tune(models: Path, model: str, *words: str) -> dict[str, Any]:
    out, file = models / "out", models / "result.json"
    fixed = ["--experiment", "tiny", "--duration", "1", "--workers", "1", "--out", str(out)]
    cli.main(["tune", str(models / model), *fixed, "--json", str(file), *words])
    result: dict[str, Any] = json.loads(file.read_text())["results"]
    return result


def test_the_best_settings_are_in_the_card_and_every_episode_beside_it(
    models: Path,
    ran: list[Job],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.argv", ["mbmrl", "tune", "a model"])
    result = tune(models, "mb", "--method", "residual")
    out = models / "out"
    card = read_card(out)
    assert card["method"] == result["method"] == "residual"
    assert card["options"] == result["options"] == {"gain": 0.75}
    assert card["adapt_window"] == result["adapt_window"] == 32
    assert card["guard"] == {"folds": 4, "margin": 0.9, "min_transitions": 4}
    assert card["seed"] == 3
    assert "scores" not in card  # they were another method's
    assert (out / WEIGHTS).read_bytes() == (models / "mb" / WEIGHTS).read_bytes()

    tuning = card["tuning"]
    assert tuning["command"] == "mbmrl tune 'a model'"
    assert tuning["model"]["name"] == tuning["model"]["method"] == "mb"
    assert [tuning[name] for name in ("experiment", "seeds", "first_seed", "duration")] == [
        *("tiny", 2, 500),
        1.0,
    ]
    assert [stage["stage"] for stage in tuning["stages"]] == [
        *("candidates", "adapt_window", "min_transitions")
    ]
    # the card's own window of 8 and gain of 0.5, beside the gains of the grid at 16
    assert [row["adapt_window"] for row in tuning["stages"][0]["candidates"]] == [8, 16, 16, 16, 16]
    rows = [json.loads(line) for line in (out / "tuning.jsonl").read_text().splitlines()]
    assert len(rows) == len(ran) == len({job.key for job in ran})
    named = {row["name"] for stage in tuning["stages"] for row in stage["candidates"]}
    assert {row["method"] for row in rows} == named
    assert {job.cell.scenario.seed for job in ran} == {500, 501}
    assert not (out / "candidates").exists()
    assert "gain 0.75, window 32, from 4 *" in capsys.readouterr().out
    make_guard(load_model(out, make_robot("hexapod")))


def test_an_interrupted_run_goes_on(
    models: Path, ran: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tune(models, "mb", "--method", "residual")
    count, known = len(ran), campaign.run_job
    ran.clear()

    def fails(job: Job) -> tuple[str, dict[str, Any]]:
        if len(ran) == 9:
            raise RunError("the lights went out")
        return known(job)

    elsewhere = ("--method", "residual", "--out", str(models / "other"))
    monkeypatch.setattr(campaign, "run_job", fails)
    with pytest.raises(SystemExit) as stop:
        tune(models, "mb", *elsewhere)
    assert stop.value.code == 1
    assert not (models / "other" / CARD).exists()
    monkeypatch.setattr(campaign, "run_job", known)
    again = tune(models, "mb", *elsewhere)
    assert len(ran) == count
    assert again["tuning"]["stages"] == whole["tuning"]["stages"]


def test_a_step_is_tuned_on_top_of_a_context_model(models: Path, ran: list[Job]) -> None:
    result = tune(models, "context", "--method", "context_de")
    assert result["options"] == {"hidden": 5, "steps": 1, "step": 0.01, "bias_step": 3.0}
    rule = make_guard(load_model(models / "out", make_robot("hexapod"))).rule
    assert rule == make_rule("context_de", result["options"])


def test_a_rule_without_options_has_its_windows_tuned(models: Path, ran: list[Job]) -> None:
    result = tune(models, "context")
    assert result["options"] == {"hidden": 5}
    assert (result["adapt_window"], result["min_transitions"]) == (32, 4)
    stages = [stage["stage"] for stage in result["tuning"]["stages"]]
    assert stages == ["adapt_window", "min_transitions"]


def test_data_leaves_out_what_predicts_badly(models: Path, ran: list[Job]) -> None:
    dataset.save(models / "faults", hexapod_rollouts())
    words = ("--method", "mb_de", "--data", str(models / "faults"), "--finalists", "2")
    result = tune(models, "mb", *words)
    stages = result["tuning"]["stages"]
    grid = grid_of("mb_de").all_options()
    assert stages[0]["stage"] == "open loop"
    assert len(stages[0]["candidates"]) == 1 + len(grid)  # and the settings as they are
    best = min(stages[0]["candidates"][1:], key=lambda row: row["error"])
    entered = [row["name"] for row in stages[1]["candidates"]]
    assert len(entered) == 3
    assert entered[:2] == [stages[0]["candidates"][0]["name"], best["name"]]
    sha256 = sha256_of(models / "faults")
    assert result["tuning"]["data"] == [{"name": "faults", "sha256": sha256}]


def hexapod_rollouts() -> list[Rollout]:
    """Two short runs of random numbers in the shape of the hexapod's."""
    spec, generator = make_robot("hexapod").spec, torch.Generator().manual_seed(0)
    return [
        Rollout(
            robot="hexapod",
            states=(0.01 * torch.randn(41, len(spec.state), generator=generator)).numpy(),
            actions=torch.rand(40, len(spec.action), generator=generator).numpy(),
            times=(spec.period * torch.arange(41, dtype=torch.float64)).numpy(),
            marks=torch.zeros(40, dtype=torch.uint8).numpy(),
            tags={"session": str(k)},
        )
        for k in range(2)
    ]


def test_true_episodes(models: Path) -> None:
    result = tune(models, "mb", "--method", "residual", "--seeds", "1")
    scores = [
        row["cross_track_mean_m"]
        for stage in result["tuning"]["stages"]
        for row in stage["candidates"]
    ]
    assert all(0 < score < 1 for score in scores)
    last = result["tuning"]["stages"][-1]["candidates"]
    best = min(last, key=lambda row: row["cross_track_mean_m"])
    assert result["options"] == best["options"]


@pytest.mark.parametrize(
    ("model", "words", "message"),
    [
        ("none", [], "no model folder"),
        ("mb/card.yaml", [], "no model folder"),
        ("mb", ["--method", "maml"], "unknown method 'maml'"),
        ("mb", ["--method", "context_de"], "context_de needs a model trained for it, not for mb"),
        ("context", ["--method", "grbal"], "grbal needs a model trained for it, not for context"),
        ("mb", ["--experiment", "walk"], "unknown experiment 'walk'"),
        ("mb", ["--finalists", "0"], "finalists: expected at least 1, got 0"),
        ("mb", ["--workers", "0"], "workers: expected at least 1, got 0"),
        ("mb", ["--seeds", "0"], "expected seeds >= 1"),
        ("mb", ["--duration", "0"], "duration: expected at least 1 second"),
        ("mb", ["--data", "nowhere"], "nowhere: not a data set"),
    ],
)
def test_what_users_get_wrong_is_one_line(
    models: Path,
    ran: list[Job],
    capsys: pytest.CaptureFixture[str],
    model: str,
    words: list[str],
    message: str,
) -> None:
    refused(models, capsys, model, words, message)
    assert not ran


def test_data_that_was_trained_on_is_refused(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = [replace(r, tags={**r.tags, "session": "day one"}) for r in hexapod_rollouts()]
    dataset.save(models / "seen", seen)
    card = models / "mb" / "card.yaml"
    facts = yaml.safe_load(card.read_text())
    card.write_text(yaml.safe_dump({**facts, "sessions": ["day one"]}, sort_keys=False))
    words = ["--method", "mb_de", "--data", str(models / "seen")]
    refused(models, capsys, "mb", words, "data: the model was trained on session 'day one' of it")


def test_another_robots_data_and_model_are_refused(
    models: Path,
    capsys: pytest.CaptureFixture[str],
    registered: Any,
    make_rollouts: Callable[..., list[Rollout]],
) -> None:
    dataset.save(models / "toys", make_rollouts(2))
    refused(models, capsys, "mb", ["--data", str(models / "toys")], "a rollout of 'toy'")
    card = models / "mb" / CARD
    card.write_text(yaml.safe_dump({**yaml.safe_load(card.read_text()), "robot": "arm"}))
    refused(models, capsys, "mb", [], "tiny is for hexapod, the model for arm")


def test_the_result_does_not_replace_its_model(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--out", str(models / "context" / ".." / "mb")]
    refused(models, capsys, "mb", words, "expected another folder than the model's")
    refused(models, capsys, "mb", ["--out", str(models / "mb" / CARD)], "out: ")


def refused(
    models: Path, capsys: pytest.CaptureFixture[str], model: str, words: list[str], message: str
) -> None:
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        tune(models, model, *words)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
