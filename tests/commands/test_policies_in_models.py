"""`mbmrl train me_trpo|mb_mpo`: a policy folder, a curve, and one line for bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from ros_mbmrl import cli
from ros_mbmrl.agents.policy_planner import make_policy
from ros_mbmrl.bringup import graph
from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.learning.policies.benchmarks import benchmark_tasks
from ros_mbmrl.learning.policies.simulated_tasks import simulated_tasks
from ros_mbmrl.methods.built_in import BUILT_IN
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.plugins import imported
from ros_mbmrl.policies.files import load_policy
from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.benchmarks import BENCHMARKS
from ros_mbmrl.simulation.situations import Situation

TINY = """
episodes: 3
horizon: 20
rows: 4
tests: 2
hidden: [8]
validation: {every: 1, tolerance: 1, updates: 2, episodes: 2}
model: {hidden: [8], supervised_steps: 10, validate_every: 5, rows: 16, batch: 8}
me_trpo:
  model: {members: 2, hidden: [8], supervised_steps: 10, validate_every: 5, rows: 16}
  scheme: eps_rand
"""
TINY_OFF = """
horizon: 20
worlds: 2
first: 40
updates: 1
soft: {hidden: [8], rows: 8}
branches: {rows: 20, length: 2}
model: {members: 2, elites: 1, hidden: [8], supervised_steps: 10, validate_every: 5, rows: 16}
"""
TINY_META = """
episodes: 3
horizon: 20
rows: 4
tests: 2
hidden: [8]
meta_steps: 2
episodes_of_model: 2
model: {members: 2, hidden: [8], supervised_steps: 10, validate_every: 5, rows: 16}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(TINY)
    return path


@pytest.fixture
def meta(tmp_path: Path) -> Path:
    path = tmp_path / "meta.yaml"
    path.write_text(TINY_META)
    return path


def train(method: str, robot: str, out: Path, *more: str) -> None:
    cli.main(["train", method, robot, "--out", str(out), *more])


def trained(tmp_path: Path, recipe: Path, method: str, *more: str) -> dict[str, Any]:
    report, own = tmp_path / "report.json", ("--recipe", str(recipe), *more)
    train(method, "half_cheetah", tmp_path / "p", *own, "--json", str(report))
    results: dict[str, Any] = json.loads(report.read_text())["results"]
    return results


def test_an_actor_critic_and_the_model_that_it_learned_in(tmp_path: Path) -> None:
    recipe = tmp_path / "off.yaml"
    recipe.write_text(TINY_OFF)
    results = trained(tmp_path, recipe, "maac", "--budget", "120", "--set", "steps=2")
    assert results["transitions"] == 120 and len(results["curve"]) == 3
    robot, folder = make_robot("half_cheetah"), tmp_path / "p"
    loaded, model = load_policy(folder, robot), load_model(folder / "model", robot)
    assert loaded.card["network"]["kind"] == "squashed"
    assert loaded.card["training"]["steps"] == 2
    assert isinstance(model.model.mlp, Ensemble) and len(model.model.mlp.used) == 1
    make_policy(robot.spec, str(folder))  # and it drives


def test_a_policy_and_the_model_that_it_learned_in(tmp_path: Path, recipe: Path) -> None:
    results = trained(tmp_path, recipe, "me_trpo", "--budget", "120")
    robot, folder = make_robot("half_cheetah"), tmp_path / "p"
    loaded = load_policy(folder, robot)
    assert loaded.card["method"] == "me_trpo"
    assert loaded.card["curve"] == results["curve"]
    assert [point["transitions"] for point in results["curve"]] == [60, 120]
    assert {"mean_return", "imagined_return", "updates", "improved"} <= results["curve"][0].keys()
    assert loaded.card["training"]["scheme"] == "eps_rand"
    mlp = load_model(folder / "model", robot).model.mlp
    assert isinstance(mlp, Ensemble) and mlp.members == 2


def test_it_learns_on_the_robot_as_it_should_be() -> None:
    """Not on one as it would be modelled without data, a fifth off."""
    across = imported(BUILT_IN["me_trpo"].learner).across
    situations, _ = simulated_tasks("half_cheetah", (), across).drawn(np.random.default_rng(0), 3)
    assert situations == [Situation()] * 3
    slopes = simulated_tasks("half_cheetah", ("cheetah-slope",), across)
    assert {s.terrain.kind for s in slopes.drawn(np.random.default_rng(0), 3)[0]} == {"slope"}


def test_it_goes_on_where_it_was(tmp_path: Path, recipe: Path) -> None:
    first = trained(tmp_path, recipe, "bptt", "--budget", "60")["curve"]
    second = trained(tmp_path, recipe, "bptt", "--budget", "120")["curve"]
    assert second[:1] == first and len(second) == 2
    assert len(trained(tmp_path, recipe, "bptt", "--budget", "60", "--fresh")["curve"]) == 1


def test_mb_mpo_acts_as_it_is_before_an_update(tmp_path: Path, meta: Path) -> None:
    results = trained(tmp_path, meta, "mb_mpo", "--budget", "120")
    robot, folder = make_robot("half_cheetah"), tmp_path / "p"
    loaded = load_policy(folder, robot)
    assert (loaded.card["method"], loaded.card["acts"]) == ("mb_mpo", "before_update")
    assert loaded.inner is None
    assert loaded.card["curve"] == results["curve"] and len(results["curve"]) == 2
    make_policy(robot.spec, str(folder))  # it need not practise
    mlp = load_model(folder / "model", robot).model.mlp
    assert isinstance(mlp, Ensemble) and mlp.members == 2


@pytest.mark.parametrize("method", ["me_ppo", "mb_mpo"])
def test_launch_takes_the_folder(tmp_path: Path, recipe: Path, meta: Path, method: str) -> None:
    own = meta if method == "mb_mpo" else recipe
    trained(tmp_path, own, method, "--budget", "60", "--situations", "cheetah-slope")
    folder = tmp_path / "p"
    words = ["robot:=half_cheetah", "controller:=policy", f"model:={folder}"]
    (adaptive,) = [node for node in graph("adapt", words) if node.name == "adaptive"]
    assert adaptive.parameters["model"] == str(folder / "model")
    assert adaptive.parameters["planner.policy.folder"] == str(folder)
    assert adaptive.parameters["method"] == "mb"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": {"members": 1, "weight_normalisation": False}}, "each of which is a task to"),
        ({"validation": {"threshold": 2}}, "wrong.yaml: unknown setting 'validation'"),
        ({"rows": 7}, "rows: expected as many for each of 5 models, got 7 in all"),
        ({"outer": "promp", "rate": 0}, "inner: expected at least 1 step"),
        ({"model_bias": -1}, "model_bias: expected at least 0, or none, got -1"),
    ],
)
def test_a_wrong_recipe_of_mb_mpo_is_one_line(
    settings: dict[str, Any], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused("mb_mpo", settings, message, tmp_path, capsys)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"validation": {"threshold": 0}}, "threshold: expected a share above 0"),
        ({"validation": {"threshold": 1.2}}, "no ratio is below 0 or above 1, got 1.2"),
        ({"validation": {"threshold": float("nan")}}, "threshold: expected a share above 0"),
        ({"validation": {"every": 150, "tolerance": 180}}, "the criterion can never be met"),
        ({"validation": {"updates": 10}}, "the criterion can never be met"),
        ({"model": {"members": 1}}, "model.members: expected at least 2, of which eq. 5 takes"),
        ({"scheme": "best"}, "scheme: expected one of step_rand"),
        ({"modle": {}}, "wrong.yaml: unknown setting 'modle'"),
        ({"model": {"method": "grbal"}}, "wrong.yaml: unknown setting 'method'"),
        ({"model": 3}, "model: expected a mapping of settings, got 3"),
    ],
)
def test_a_wrong_recipe_is_one_line(
    settings: dict[str, Any], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused("me_trpo", settings, message, tmp_path, capsys)


def refused(
    method: str,
    settings: dict[str, Any],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(yaml.safe_dump(settings))
    with pytest.raises(SystemExit) as ended:
        train(method, "half_cheetah", tmp_path / "p", "--recipe", str(wrong))
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line and ended.value.code == 2
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize("method", ["bptt", "one_model_vpg", "one_model_trpo"])
def test_one_model_means_one(
    method: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("model: {members: 3}")
    with pytest.raises(SystemExit) as ended:
        train(method, "half_cheetah", tmp_path / "p", "--recipe", str(wrong))
    (line,) = capsys.readouterr().err.splitlines()
    assert f"model.members: expected 1 for {method}, got 3" in line and ended.value.code == 2


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"robot": "ant"}, "made for another robot: 'ant', expected 'half_cheetah'"),
        ({"robot": None}, "made for another robot: 'None', expected 'half_cheetah'"),
        ({"task": "stand"}, "made for another task: 'stand', expected 'run'"),
        ({"code_version": "99.0"}, "made by version 99.0: expected"),
        ({"method": "new", "origin": {"package": "x"}}, "method 'new'"),
        ({"speed": 3}, "unknown field 'speed' in the card"),
    ],
)
def test_a_card_that_does_not_match_is_one_line(
    told: dict[str, Any],
    message: str,
    tmp_path: Path,
    recipe: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trained(tmp_path, recipe, "bptt", "--budget", "60")
    card = yaml.safe_load((tmp_path / "p/card.yaml").read_text())
    (tmp_path / "p/card.yaml").write_text(yaml.safe_dump({**card, **told}))
    capsys.readouterr()
    own = ("robot:=half_cheetah", "controller:=policy", f"model:={tmp_path / 'p'}")
    with pytest.raises(SystemExit) as ended:
        cli.main(["launch", "adapt", *own])
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line and ended.value.code == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("half_cheetah", "--data", "runs"), "data: method 'me_trpo' practises in simulation"),
        (("half_cheetah", "--rounds", "3"), "method 'me_trpo' learns a policy: it has no --rounds"),
        (("half_cheetah", "--task", "fly"), "unknown task 'fly': expected one of run"),
        (("half_cheetah", "--situations", "arm-force"), "unknown situations of robot"),
        (("hexapod",), "unknown simulated robot 'hexapod'"),
        (("arm_7dof",), "expected a task whose cost is the same at any time"),
    ],
)
def test_what_would_not_be_heeded_is_one_line(
    words: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        train("me_trpo", words[0], tmp_path / "p", *words[1:])
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line and ended.value.code == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "data: expected data sets, recordings, or `twin`"),
        (("--data", "twin", "--budget", "9"), "budget: expected none: method mb learns no policy"),
    ],
)
def test_a_model_needs_data_and_no_budget(
    words: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        train("mb", "half_cheetah", tmp_path / "m", *words)
    assert message in capsys.readouterr().err and ended.value.code == 2


FEW = ("me-trpo-hopper", "promp-ant-rand-direc", "mbbl-swimmer")


@pytest.mark.parametrize(
    "name", [n if n in FEW else pytest.param(n, marks=pytest.mark.slow) for n in BENCHMARKS]
)
def test_every_environment_with_one_reward_can_be_learned_in(
    name: str, tmp_path: Path, recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its name, with its own horizon, unless the recipe says another; others are refused."""
    row = BENCHMARKS[name]
    recipe.write_text(TINY.replace("horizon: 20", "") if row.horizon <= 100 else TINY)
    if not benchmark_tasks(name).one_reward:  # which the model cannot know
        with pytest.raises(SystemExit) as ended:
            train("me_trpo", name, tmp_path / "p", "--recipe", str(recipe), "--budget", "60")
        assert ended.value.code == 2
        assert f"expected situations with one reward, got {name}" in capsys.readouterr().err
        return
    train("me_trpo", name, tmp_path / "p", "--recipe", str(recipe), "--budget", "60")
    loaded = load_policy(tmp_path / "p", make_robot(row.robot))
    assert loaded.card["situations"] == [name]
    assert loaded.card["training"]["horizon"] == (row.horizon if row.horizon <= 100 else 20)
    (point,) = loaded.card["curve"]
    assert np.isfinite([point["mean_return"], point["imagined_return"]]).all()


def test_an_environment_has_situations_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        train("me_trpo", "me-trpo-hopper", tmp_path / "p", "--situations", "cheetah-slope")
    (line,) = capsys.readouterr().err.splitlines()
    assert "expected none: environment 'me-trpo-hopper' has its own" in line
    assert ended.value.code == 2
