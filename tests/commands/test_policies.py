"""`mbmrl train` of a method that learns a policy: its folder, its recipe, and what is refused."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("mujoco")

from ros_mbmrl import cli
from ros_mbmrl.agents.base import Context
from ros_mbmrl.agents.policy_planner import make_policy
from ros_mbmrl.bringup import graph
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.practice import practise
from ros_mbmrl.policies.files import load_policy
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.point import PointRobot
from ros_mbmrl.simulation.points import POINTS
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation

RECIPE = """
budget: 160
tasks: 2
horizon: 10
hidden: [8]
inner: {episodes: 2, rate: 0.1}
promp: {outer_steps: 3}
maml_vpg: {estimator: dice}
"""


def train(folder: Path, method: str, *more: str, recipe: str = RECIPE) -> dict[str, Any]:
    (folder / "recipe.yaml").write_text(recipe)
    words = ["train", method, "half_cheetah", "--out", str(folder / method)]
    words += ["--recipe", str(folder / "recipe.yaml"), "--json", str(folder / "report.json")]
    cli.main([*words, *more])
    found: dict[str, Any] = json.loads((folder / "report.json").read_text())["results"]
    return found


@pytest.mark.parametrize("method", ["promp", "e_maml", "maml_vpg", "maml_rl"])
def test_a_policy_is_trained_and_kept(tmp_path: Path, method: str) -> None:
    results = train(tmp_path, method, "--seed", "3")
    assert results["transitions"] == 160
    loaded = load_policy(tmp_path / method, make_robot("half_cheetah"))
    assert loaded.card["method"] == method and loaded.card["seed"] == 3
    assert loaded.card["training"]["budget"] == 160
    assert loaded.card["situations"] == ["cheetah-disabled"]
    assert loaded.inner is not None and (loaded.inner.horizon, loaded.inner.rate) == (10, 0.1)
    assert loaded.policy.mlp.sizes[1:-1] == (8,)
    assert loaded.card["task"] == "run"
    last = loaded.card["curve"][-1]
    assert (last["mean_return"], last["mean_return_before"]) == (
        results["after"],
        results["before"],
    )


def test_launch_takes_the_policy_that_has_practised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the robot as it should be, from the starts of the training's seed."""
    train(tmp_path, "promp", "--seed", "3")
    robot, folder = make_robot("half_cheetah"), tmp_path / "promp"
    words = ["robot:=half_cheetah", "controller:=policy", f"model:={folder}"]
    (adaptive,) = [node for node in graph("adapt", words) if node.name == "adaptive"]
    assert adaptive.parameters["planner.policy.folder"] == str(folder / "adapted")
    assert str(adaptive.parameters["model"]).endswith("models/half_cheetah/mb")
    first, acts = load_policy(folder, robot), load_policy(folder / "adapted", robot)
    assert acts.inner is None and acts.card["method"] == "promp"
    worlds = make_simulated("half_cheetah", [Situation()], [3])
    context = Context(robot, [3], worlds.tasks(), worlds.goals)
    make = partial(make_simulated, "half_cheetah")
    own = practise(first, make, [Situation()], context)
    assert all(torch.equal(acts.parameters[name], value[0]) for name, value in own.items())
    assert not torch.equal(acts.parameters["b1"], first.parameters["b1"])
    with pytest.raises(UserError, match="practises before it acts: expected one that does not"):
        make_policy(robot.spec, str(folder))


def test_a_video_is_written_or_the_reason_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tmp_path, "promp", "--video")
    written = (tmp_path / "promp/video.gif").exists()
    assert ("video: " if written else "no video: ") in capsys.readouterr().out
    monkeypatch.setenv("MUJOCO_GL", "nothing")
    train(tmp_path, "promp", "--video")
    assert "no video: no off-screen rendering with MUJOCO_GL=nothing" in capsys.readouterr().out


def test_a_point_can_be_trained_too(tmp_path: Path) -> None:
    words = ["train", "promp", "point_corners", "--out", str(tmp_path / "out")]
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    cli.main([*words, "--recipe", str(tmp_path / "recipe.yaml")])
    robot = PointRobot("point_corners", POINTS["point_corners"].reach)
    assert load_policy(tmp_path / "out", robot).policy.mlp.sizes == (2, 8, 2)
    assert not (tmp_path / "out" / "adapted").exists()  # no graph runs a point


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    longer = RECIPE.replace("160", "320")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        folder.mkdir()
    train(whole, "promp", recipe=longer)
    train(broken, "promp")
    train(broken, "promp", recipe=longer)
    robot = make_robot("half_cheetah")
    one, other = (load_policy(folder / "promp", robot) for folder in (whole, broken))
    assert all(torch.equal(other.parameters[n], v) for n, v in one.parameters.items())
    assert len(one.card["curve"]) == 4


def test_another_runs_checkpoint_is_refused_until_fresh(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(tmp_path, "promp")
    with pytest.raises(SystemExit) as stopped:
        train(tmp_path, "promp", "--seed", "1")
    assert stopped.value.code == 2
    assert "of another run: seed is 0, expected 1" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        train(tmp_path, "promp", "--situations", "cheetah-slope")
    assert "situations is ['cheetah-disabled'], expected ['cheetah-slope']" in (
        capsys.readouterr().err
    )
    assert train(tmp_path, "promp", "--seed", "1", "--fresh")["transitions"] == 160


@pytest.mark.parametrize(
    ("more", "recipe", "said"),
    [
        (("--data", "set"), RECIPE, "data: method 'promp' practises in simulation"),
        (("--rounds", "2"), RECIPE, "method 'promp' learns a policy: it has no --rounds"),
        (("--situations", "arm-force"), RECIPE, "unknown situations of robot 'half_cheetah'"),
        ((), "clip: 2", "expected outer_rate above 0, outer_steps from 1 and clip between"),
        ((), "promp: {clips: 1}", "recipe.yaml: unknown setting 'clips'"),
        ((), "promp: 3", "expected a mapping of settings"),
        ((), "seed: 3", "expected the seed as --seed"),
        ((), "tasks: many", "recipe.yaml: "),
    ],
)
def test_what_cannot_be_ends_the_command(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: tuple[str, ...],
    recipe: str,
    said: str,
) -> None:
    with pytest.raises(SystemExit) as stopped:
        train(tmp_path, "promp", *more, recipe=recipe)
    assert stopped.value.code == 2
    assert said in (told := capsys.readouterr().err) and len(told.splitlines()) == 1
    assert not (tmp_path / "promp").exists()


def test_a_model_needs_data(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["train", "mb", "half_cheetah", "--out", str(tmp_path / "out")])
    assert stopped.value.code == 2
    assert "data: expected data sets, recordings, or `twin`" in capsys.readouterr().err


def test_a_method_that_plans_has_no_policy_to_train(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["train", "l2a_policy", "cart-pole", "--out", str(tmp_path / "p")])
    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2 and "acting=fine_tuned" in line
