"""`mbmrl train`: recipes, and a model folder at the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from ros_mbmrl import cli
from ros_mbmrl.adaptation import METHODS, make_rule
from ros_mbmrl.adaptation.guard import make_guard
from ros_mbmrl.commands.train import read_recipe
from ros_mbmrl.data import dataset
from ros_mbmrl.data.files import sha256_of
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning import tracking
from ros_mbmrl.learning.tune import grid_of

RECIPE = """
hidden: [12, 12]
activation: tanh
adapt_windows: [6, 8]
predict_window: 5
supervised_steps: 10
meta_steps: 6
batch: 8
validate_every: 5
horizon: 3
grbal:
  options: {steps: 2}
  meta_steps: 4
context_de:
  options: {hidden: 5}
"""


@pytest.fixture
def folder(tmp_path: Path, registered: Any, make_rollouts: Callable[..., list[Rollout]]) -> Path:
    """A data set of ten toys and a recipe."""
    dataset.save(tmp_path / "data", make_rollouts(10, steps=25))
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


def train(folder: Path, method: str, out: str, *more: str) -> dict[str, Any]:
    arguments = ["train", method, "toy", "--data", str(folder / "data"), "--out"]
    arguments += [str(folder / out), "--recipe", str(folder / "recipe.yaml")]
    cli.main([*arguments, "--json", str(folder / "report.json"), *more])
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return report


def test_a_gpu_that_is_not_there_ends_the_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit) as ended:
        train(folder, "mb", "m", "--device", "cuda")
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "no GPU" in error


@pytest.mark.parametrize("members", [1, 2])
@pytest.mark.parametrize("method", METHODS)
def test_every_method_ends_in_a_model_that_loads(
    folder: Path, method: str, registered: Any, members: int
) -> None:
    (folder / "recipe.yaml").write_text(f"members: {members}\n{RECIPE}")
    report = train(folder, method, "m")
    loaded = load_model(folder / "m", registered)
    card = loaded.card
    assert card["network"].get("members", 1) == members
    assert card["method"] == method
    assert card["adapt_window"] == 8
    assert card["horizon"] == 3
    assert card["data"][0]["sha256"] == sha256_of(folder / "data")
    assert len(card["sessions"]) == 10  # those it was chosen on, too
    assert card["seed"] == 0
    assert card["scores"]["open_loop_after"] == report["results"]["open_loop_after"]
    assert report["results"]["model"] == str(folder / "m")
    if grid_of(method).options:
        assert min(row["error"] for row in card["tuning"]) == pytest.approx(
            card["scores"]["open_loop_after"], abs=1e-5
        )
    assert make_guard(loaded).rule.meta_trained == make_rule(method).meta_trained
    if method == "grbal":
        assert card["options"] == {"steps": 2}
    if method == "context_de":
        assert card["options"]["hidden"] == 5


@pytest.mark.parametrize("method", METHODS)
def test_every_method_takes_gaussian_heads_and_elites(
    folder: Path, method: str, registered: Any
) -> None:
    (folder / "recipe.yaml").write_text(f"members: 3\nhead: gaussian\nelites: 2\n{RECIPE}")
    report = train(folder, method, "m")
    loaded = load_model(folder / "m", registered)
    network = loaded.card["network"]
    assert (network["members"], network["head"], len(network["elites"])) == (3, "gaussian", 2)
    assert loaded.card["scores"]["open_loop_after"] == report["results"]["open_loop_after"]
    assert make_guard(loaded).rule.meta_trained == make_rule(method).meta_trained


@pytest.mark.parametrize(("tracker", "said"), [("comet", "unknown tracker"), ("wandb", "pip ins")])
def test_a_tracker_that_is_not_there_ends_the_command(
    folder: Path,
    tracker: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(tracking, "find_spec", lambda _: None)
    with pytest.raises(SystemExit) as ended:
        train(folder, "mb", "m", "--track", tracker)
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and said in error
    assert not (folder / "m").exists()


def test_curves_reach_tensorboard_and_the_tracker(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows: list[tuple[str, int]] = []

    class Kept(tracking.Silent):
        def __init__(self, out: Path, config: Any) -> None:
            assert (out, config["method"]) == (folder / "m", "grbal")

        def log(self, phase: str, step: int, scalars: Any) -> None:
            rows.append((phase, step))

    monkeypatch.setattr(tracking, "TRACKERS", {"json": Kept})  # a module that is there
    train(folder, "grbal", "m", "--track", "json")
    assert rows == [("supervised", 5), ("supervised", 10), ("meta", 4)]
    assert f"curves: tensorboard --logdir {folder / 'm'}\n" in capsys.readouterr().out


def test_training_again_carries_on_and_fresh_starts_anew(folder: Path) -> None:
    first = train(folder, "mb", "m")["results"]
    assert train(folder, "mb", "m")["results"] == first
    other = folder / "recipe.yaml"
    other.write_text(RECIPE.replace("[12, 12]", "[10]"))
    with pytest.raises(SystemExit) as caught:
        train(folder, "mb", "m")
    assert caught.value.code == 2
    train(folder, "mb", "m", "--fresh")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour: red", "unknown setting in recipe.yaml 'colour': expected one of activation"),
        ("method: context", "unknown setting in recipe.yaml 'method'"),
        ("seed: 3", "unknown setting in recipe.yaml 'seed'"),
        ("grbal: {colour: red}", "unknown setting in recipe.yaml 'colour'"),
        ("grbal: 5", "expected a mapping of settings under grbal"),
        ("batch: many", "batch: expected an integer"),
        ("batch: 0", "batch: expected an integer of at least 1, got 0"),
        ("hidden: 128", "hidden: expected a list of integers"),
        ("learning_rate: '1e-3'", "learning_rate: expected a number above 0, got '1e-3'"),
        ("learning_rate: -1e-3", "learning_rate: expected a number above 0, got -0.001"),
        ("learning_rate: 1e400", "learning_rate: expected a number above 0, got inf"),
        ("activation: sine", "activation: expected one of"),
        ("head: gaussian", "head: gaussian: expected members of at least 2, got 1"),
        ("{members: 3, elites: 4}", "elites: expected an integer of up to 3, got 4"),
        ("- a list", "expected a mapping"),
        ("{unclosed: [", "recipe"),
        ("", "expected a mapping"),
    ],
)
def test_a_wrong_recipe_is_one_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        read_recipe(path, "grbal", 0)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_recipes_numbers_are_written_as_people_write_them(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("learning_rate: 1e-4\nweight_decay: 2.5e-3\nnoise: 1E-1")
    config = read_recipe(path, "grbal", 0)
    assert (config.learning_rate, config.weight_decay, config.noise) == (1e-4, 2.5e-3, 0.1)


def test_a_recipe_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xfa")
    for name in ("none.yaml", "bytes.yaml"):
        with pytest.raises(UserError, match=name):
            read_recipe(tmp_path / name, "grbal", 0)


def test_a_methods_section_overrides_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("batch: 8\nmeta_steps: 10\ngrbal: {batch: 16}\ncontext: {batch: 32}\n")
    assert read_recipe(path, "grbal", 4).batch == 16
    assert read_recipe(path, "mb", 4).batch == 8
    config = read_recipe(path, "context", 4)
    assert (config.batch, config.meta_steps, config.seed) == (32, 10, 4)
    assert config.method == "context"


@pytest.mark.parametrize("path", sorted(Path("config/training").glob("*.yaml")), ids=str)
@pytest.mark.parametrize("method", ["mb", "grbal", "context"])
def test_shipped_recipes_are_valid(path: Path, method: str) -> None:
    assert yaml.safe_load(path.read_text())
    assert read_recipe(path, method, 0).method == method


def test_untouched_sessions_are_the_same_for_every_seed(folder: Path) -> None:
    seen = []
    for seed in ("1", "2"):
        train(folder, "mb", f"m{seed}", "--untouched", "0.3", "--seed", seed)
        card = yaml.safe_load((folder / f"m{seed}" / "card.yaml").read_text())
        seen.append(card["sessions"])
    assert seen[0] == seen[1]
    assert len(seen[0]) == 6  # two of the five sessions of each of two terrains are left alone
