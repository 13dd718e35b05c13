"""`--data twin` on the simulated robots: batches in drawn situations, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from ros_mbmrl import cli
from ros_mbmrl.commands.train import read_recipe
from ros_mbmrl.data import dataset
from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.evaluation.study.learn import OPTIONS
from ros_mbmrl.evaluation.study.studies import ENSEMBLE, SMALL, make_study
from ros_mbmrl.learning import aggregation
from ros_mbmrl.learning.aggregation import configured, practice_of
from ros_mbmrl.learning.simulated_collection import (
    SimulatedConfig,
    random_rollouts,
    situations_for,
    validation_rollouts,
)
from ros_mbmrl.learning.sizes import Training
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.paths import PATHS, make_path
from ros_mbmrl.simulation.distributions import EXPERIMENTS, VALIDATION

ROBOTS = ("half_cheetah", "ant", "arm_7dof")
RECIPES = Path(__file__).resolve().parents[2] / "config" / "training"
RECIPE = """
hidden: [12]
adapt_windows: [4]
predict_window: 4
supervised_steps: 4
meta_steps: 2
batch: 4
validate_every: 2
horizon: 3
"""


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A few robots for half a second, and what a command begins with."""
    small = {}
    for name in ROBOTS:
        practice = practice_of(make_robot(name))
        config = replace(practice.config, runs=6, steps=12, episodes=5)
        small[name] = replace(practice, config=config)
    monkeypatch.setattr(aggregation, "PRACTICE", MappingProxyType(small))
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return ["--data", "twin", "--recipe", str(tmp_path / "recipe.yaml"), "--held-out", "0.3"]


@pytest.mark.parametrize(
    ("method", "robot"), [("grbal", "half_cheetah"), ("mb", "ant"), ("residual", "arm_7dof")]
)
def test_a_simulated_robot_is_trained_on_what_it_gathers(
    tiny: list[str], tmp_path: Path, method: str, robot: str
) -> None:
    out = tmp_path / "m"
    cli.main(["train", method, robot, *tiny, "--rounds", "2", "--out", str(out)])
    card = load_model(out, make_robot(robot)).card
    names = ["random", "round-1", "round-2"]
    assert [entry["name"] for entry in card["data"]] == names
    assert card["tuned_on"] == ["validation"]
    gathered = [dataset.load([out / "data" / name]) for name in names]
    assert [[len(r) for r in rollouts] for rollouts in gathered] == [[12] * 6, [12] * 5, [12] * 5]
    sessions = [r.tags["session"] for rollouts in gathered for r in rollouts]
    assert len(set(sessions)) == 16 and sorted(sessions) == sorted(card["sessions"])
    assert not np.array_equal(gathered[1][0].actions, gathered[2][0].actions)


def test_a_value_function_is_learned_where_the_recipe_asks_for_one(
    tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE + "value: true\n")
    given = ["train", "mb", "half_cheetah", *tiny, "--out"]
    cli.main([*given, str(tmp_path / "m"), "--rounds", "2"])
    cli.main([*given, str(tmp_path / "random"), "--rounds", "0"])
    robot = make_robot("half_cheetah")
    assert load_model(tmp_path / "m", robot).value is not None
    assert load_model(tmp_path / "random", robot).value is None
    words = ["train", "mb", "arm_7dof", *tiny, "--out", str(tmp_path / "arm")]
    capsys.readouterr()
    refused(capsys, words, "value: expected --data twin of a robot whose task is the same")
    given[given.index("twin")] = str(tmp_path / "m" / "data" / "random")
    refused(capsys, [*given, str(tmp_path / "n")], "value: expected --data twin")


def test_situations_are_taken_in_turn_and_drawn_anew() -> None:
    robot = make_robot("half_cheetah")
    config = SimulatedConfig(("cheetah-disabled", "cheetah-slope"), runs=20, steps=3)
    rollouts = random_rollouts(robot, config, seed=0)
    assert [r.tags["condition"] for r in rollouts[:3]] == [
        *("cheetah-disabled", "cheetah-slope", "cheetah-disabled")
    ]
    assert {r.tags["terrain"] for r in rollouts[1::2]} == {"slope"}
    joints = {r.tags["fault"] for r in rollouts[::2]}
    assert len(joints) > 1 and joints <= {
        f"{j}_disabled" for j in ("bshin", "bfoot", "fthigh", "ffoot")
    }
    again, other = (random_rollouts(robot, config, seed=seed) for seed in (0, 1))
    assert all(np.array_equal(a.states, b.states) for a, b in zip(rollouts, again, strict=True))
    assert not np.array_equal(rollouts[0].actions, other[0].actions)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_settings_are_tuned_in_validation_situations(name: str) -> None:
    robot = make_robot(make_study(name).robot)
    rollouts = validation_rollouts(robot, SimulatedConfig((name,), steps=2), seed=0)
    conditions = [r.tags["condition"] for r in rollouts]
    assert set(conditions) == set(VALIDATION[name])
    assert {conditions.count(each) for each in conditions} == {8}


@pytest.mark.parametrize(
    ("name", "size"),
    [
        *((f"{robot}_twin", SMALL.training) for robot in ROBOTS),
        ("half_cheetah_ensemble", ENSEMBLE.training),
    ],
)
@pytest.mark.parametrize("method", ["mb", "grbal", "rebal", "bayes_context"])
def test_the_shipped_recipes_are_the_studies_settings(
    name: str, size: Training, method: str
) -> None:
    recipe = read_recipe(RECIPES / f"{name}.yaml", method, 0)
    assert (recipe.hidden, recipe.activation) == (size.hidden, size.activation)
    assert (max(recipe.adapt_windows), recipe.predict_window) == (
        size.adapt_window,
        size.predict_window,
    )
    assert (recipe.batch, recipe.learning_rate) == (size.segments, size.learning_rate)
    assert recipe.weight_decay == size.weight_decay
    assert (recipe.members, recipe.value) == (size.members, size.value)
    assert recipe.supervised_steps == size.supervised_steps
    assert recipe.meta_steps == size.meta_steps
    assert dict(recipe.options) == dict(OPTIONS.get(method, {}))


def test_as_many_robots_as_a_study_has() -> None:
    config = configured(make_robot("ant"), rounds=SMALL.training.rounds)
    assert isinstance(config, SimulatedConfig) and config.situations == ("ant-crippled",)
    gathered = (config.runs + config.rounds * config.episodes) * config.steps
    assert gathered == SMALL.training.transitions(SMALL.training.rounds)


@pytest.mark.parametrize(
    ("robot", "words", "message"),
    [
        ("ant", ["--situations", "arm-force"], "unknown situations of robot 'ant' 'arm-force'"),
        ("hexapod", ["--situations", "slope"], "situations: robot 'hexapod' has none"),
        ("ant", ["--cluster", "local"], "cluster: runs of robot 'ant' are one batch"),
        ("ant", ["--rounds", "-1"], "rounds: expected at least 0, got -1"),
        ("ant", ["--data", "elsewhere", "--situations", "ant-crippled"], "expected `--data twin`"),
    ],
)
def test_what_users_get_wrong_is_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    robot: str,
    words: list[str],
    message: str,
) -> None:
    data = [] if "--data" in words else ["--data", "twin"]
    refused(capsys, ["train", "mb", robot, *data, "--out", str(tmp_path / "m"), *words], message)


def test_what_was_gathered_otherwise_is_not_taken(
    tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["train", "mb", "half_cheetah", *tiny, "--rounds", "0", "--out", str(tmp_path / "m")]
    cli.main(given)
    cli.main(given)
    words = ["--situations", "cheetah-slope", "--fresh"]
    capsys.readouterr()
    refused(capsys, [*given, *words], "holds another collection: situations was")
    refused(capsys, [*given, "--seed", "1"], "holds another collection: seed was 0, now 1")


def test_rounds_of_another_network_are_not_gone_on_from(
    tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["train", "mb", "half_cheetah", *tiny, "--rounds", "1", "--out", str(tmp_path / "m")]
    cli.main(given)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.replace("hidden: [12]", "hidden: [9]"))
    capsys.readouterr()
    refused(capsys, [*given, "--fresh"], "train into another folder")


def refused(capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(words)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_a_runner_gathers_in_its_environments() -> None:
    robot = make_robot("hopper")
    names = situations_for("hopper")
    assert names[0] == "me-trpo-hopper" and "promp-hopper-rand-params" in names
    assert "cheetah-disabled" in situations_for("half_cheetah")
    drawn = ("me-trpo-hopper", "promp-hopper-rand-params")
    config = replace(configured(robot, 0, situations=drawn), runs=4, steps=6)
    assert isinstance(config, SimulatedConfig)
    gathered = random_rollouts(robot, config, seed=1)
    assert [rollout.tags["condition"] for rollout in gathered] == [*drawn, *drawn]
    validation = validation_rollouts(robot, config, seed=1)
    assert {rollout.tags["condition"] for rollout in validation} == set(drawn)
    for name in ("swimmer", "snake", "walker2d", "humanoid"):
        practice = practice_of(make_robot(name)).config
        assert isinstance(practice, SimulatedConfig)
        assert set(practice.situations) <= set(situations_for(name))


def test_a_robot_of_a_file_gathers_in_its_own_situations(planar_arm: str) -> None:
    robot = make_robot(planar_arm)
    config = configured(robot, 0)
    assert isinstance(config, SimulatedConfig)
    assert config.situations == situations_for(planar_arm) == ("varied", "broken")
    config = replace(config, runs=6, steps=12)
    rollouts = random_rollouts(robot, config, seed=0)
    assert [r.tags["condition"] for r in rollouts] == ["varied", "broken"] * 3
    assert [r.tags["fault"] == "none" for r in rollouts] == [True, False] * 3
    for rollout in rollouts:
        assert rollout.effectiveness is not None
        assert (rollout.effectiveness.min() < 1) == (rollout.tags["fault"] != "none")
        assert rollout.states[0, 2] == pytest.approx(0.5, abs=0.05)  # noise of 0.01
    again = random_rollouts(robot, config, seed=0)
    np.testing.assert_array_equal(again[1].states, rollouts[1].states)
    tuned = validation_rollouts(robot, config, seed=0)
    assert {r.tags["fault"].partition("@")[2] for r in tuned} == {"0.3"}
    assert all((r.effectiveness[0] == 1).all() for r in tuned if r.effectiveness is not None)


@pytest.mark.parametrize("method", ["grbal", "causes"])
def test_a_robot_of_a_file_is_trained_on_its_twin(
    planar_arm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    practice = practice_of(make_robot(planar_arm))
    config = replace(practice.config, runs=8, steps=12, episodes=5)
    small = replace(practice, config=config)
    monkeypatch.setattr(aggregation, "practice_of", lambda robot: small)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    words = ["--data", "twin", "--recipe", str(tmp_path / "recipe.yaml"), "--held-out", "0.3"]
    out = tmp_path / "m"
    cli.main(["train", method, planar_arm, *words, "--rounds", "1", "--out", str(out)])
    card = load_model(out, make_robot(planar_arm)).card
    assert [entry["name"] for entry in card["data"]] == ["random", "round-1"]
    assert card["robot"] == planar_arm


BASE = """
name: sledge
kind: planar_base
period: 0.1
commands:
  values:
    push: {unit: N, low: -2, high: 2}
    turn: {unit: N m, low: -0.1, high: 0.1}
twin: {model: sledge.xml}
"""
BASE_XML = """
<mujoco>
  <option gravity="0 0 0" timestep="0.01"/>
  <worldbody>
    <body name="sledge"><freejoint/><geom size="0.1" mass="1"/><site name="middle"/></body>
  </worldbody>
  <actuator>
    <general name="push" site="middle" gear="1 0 0 0 0 0"/>
    <general name="turn" site="middle" gear="0 0 0 0 0 1"/>
  </actuator>
</mujoco>
"""


def test_a_base_of_a_file_gathers_from_the_start_of_every_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MBMRL_ROBOTS", "")
    (tmp_path / "sledge.xml").write_text(BASE_XML)
    (tmp_path / "sledge.yaml").write_text(BASE)
    robot = make_robot(str(tmp_path / "sledge.yaml"))
    config = replace(configured(robot, 0), runs=8, steps=12)
    assert isinstance(config, SimulatedConfig)
    rollouts = random_rollouts(robot, config, seed=0)
    starts = [make_path(name).start for name in sorted(PATHS)] * 2
    for rollout, (x, y, yaw) in zip(rollouts, starts, strict=True):
        expected = [x, y, np.cos(yaw), np.sin(yaw), 0, 0]
        np.testing.assert_allclose(rollout.states[0], expected, atol=1e-6)
