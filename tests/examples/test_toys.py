"""A planner, a policy, an adapter and a learner from outside, one file and entry point each."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.segments import SegmentSampler, Transitions
from ros_mbmrl.networks.mlp import Parameters

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
Install = Callable[..., Path]
RECIPE = """
hidden: [12]
adapt_windows: [6, 8]
predict_window: 5
supervised_steps: 10
meta_steps: 4
batch: 8
validate_every: 5
horizon: 3
least_squares: {options: {ridge: 2.0}}
"""
# From data to a closed loop, a study and the nodes of a launch, in one process.
ALL_THE_WAY = """
import sys
import torch

assert not {"median_residual", "held_command", "least_squares"} & set(sys.modules)
from ros_mbmrl import bringup, cli
from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.planning import make_planner
from ros_mbmrl.robots import make_robot

def mbmrl(*words):
    cli.main([*words, "--json", words[0] + ".json"])

mbmrl("collect", "hexapod", "--out", "data", "--duration", "12", "--episode-seconds", "3")
for name in ("median", "least_squares"):
    mbmrl("train", name, "hexapod", "--recipe", "recipe.yaml", "--data", "data",
          "--out", "models/" + name)
few = ("--seeds", "1", "--workers", "1")
mbmrl("evaluate", "hexapod-ood-quiet", "--methods", "median", "least_squares", "--models", "models",
      "--controller", "held", "--duration", "1", "--out", "experiment", *few)
mbmrl("score", "models/median", "--data", "data", "--sessions", "all", "--horizons", "1")
cli.main(["evaluate", "cheetah-disabled", "--scale", "smoke", "--methods", "median",
          "least_squares", "random", "--train-seeds", "1", "--out", "study", *few])
nodes = {node.name: node for node in bringup.graph("adapt", sys.argv[1:])}
given = nodes["adaptive"].parameters
assert (given["method"], given["controller"]) == ("median", "held"), given
rule = make_rule(given["method"], {"gain": 1.0})
planner = make_planner(given["controller"], make_robot("hexapod").spec, num_samples=7)
assert (rule.gain, planner.num_samples, rule.meta_trained) == (1.0, 7, False)
words = ["method:=least_squares", "model:=models/least_squares"]
nodes = {node.name: node for node in bringup.graph("adapt", words)}
assert nodes["adaptive"].parameters["method"] == "least_squares"
"""
LAUNCH = ("method:=median", "controller:=held", "model:=models/median")


def packages(install: Install, version: str = "0.1.0") -> Path:
    """All three as an installed package leaves them; the folder to be put on the path."""
    site = Path()
    for name in ("planner", "adapter", "learner"):
        folder = EXAMPLES / name
        facts = (folder / "pyproject.toml").read_text()
        found = re.search(r'entry-points\."([\w.]+)"\]\n(\w+) = "([\w:]+)"', facts)
        assert found is not None
        group, point, value = found.groups()
        files = {path.name: path.read_text() for path in folder.glob("*.py")}
        assert len(files) == 1
        text = f"[{group}]\n{point} = {value}\n"
        site = install(value.partition(":")[0], text, files, version)
    return site


@pytest.fixture
def python(install: Install, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `python ...` where all are installed."""
    site = packages(install)

    def python(*arguments: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(site), *filter(None, sys.path)])
        return subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, "PYTHONPATH": path},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )

    return python


def results(folder: Path, command: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{command}.json").read_text())["results"]
    return found


def test_they_are_trained_evaluated_and_launched(
    python: Callable[..., subprocess.CompletedProcess[str]],
    install: Install,
    tmp_path: Path,
) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    done = python("-c", ALL_THE_WAY, *LAUNCH)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    card = yaml.safe_load((tmp_path / "models" / "median" / "card.yaml").read_text())
    assert card["method"] == "median"
    assert card["options"]["gain"] in (0.5, 1.0)  # from its own grid
    assert card["origin"] == {
        "package": "median_residual",
        "version": "0.1.0",
        "rule": "median_residual:MedianResidual",
    }
    rows = results(tmp_path, "evaluate")["rows"]
    assert {row["method"] for row in rows} == {"median", "least_squares"}
    assert any(row["prediction_error_adapted"] < row["prediction_error_prior"] for row in rows)
    scores = {row["adapter"]: row["median"] for row in results(tmp_path, "score")["rows"]}
    assert scores["adapted"] < scores["prior"]
    described = json.loads((tmp_path / "study" / "description.json").read_text())
    assert described["methods"] == ["random", "median", "least_squares"]
    learned = yaml.safe_load((tmp_path / "models" / "least_squares" / "card.yaml").read_text())
    assert (learned["options"], learned["origin"]["rule"]) == (
        {"ridge": 2.0},
        "least_squares:LeastSquares",
    )
    origins = {"median": card["origin"], "least_squares": learned["origin"]}
    assert described["origins"] == origins
    assert (tmp_path / "study" / "models" / "least_squares").is_dir()  # learned, not MB's

    launched(python)

    packages(install, version="0.2.0")
    refused = python("-m", "ros_mbmrl.cli", "score", "models/median", "--data", "data")
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [
        "mbmrl score: models/median: method 'median' of another version: made with 0.1.0, "
        "installed is 0.2.0"
    ]


def launched(python: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """Drives the graph of processes with both for 20 steps in lockstep, where there is ROS."""
    try:
        import rclpy  # noqa: F401
    except ImportError:
        return
    words = ("lockstep:=true", "duration:=2", "report:=report", "path:=straight")
    done = python("-m", "ros_mbmrl.cli", "launch", "adapt", *LAUNCH, *words)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_the_planner_takes_the_cheapest_command_within_the_limits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES / "planner"))
    import held_command

    from ros_mbmrl.planning.base import NoFinitePlan, WarmStart
    from ros_mbmrl.robots import make_robot

    spec = make_robot("hexapod").spec
    planner = held_command.make(spec, num_samples=400, horizon=3)
    wanted = torch.as_tensor(0.5 * (spec.action_low + spec.action_high), dtype=torch.float32)
    start = WarmStart(None, wanted.clone())

    def predict(states: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        return states[:, None].repeat(1, actions.shape[1] + 1, 1)

    def plan(cost: Callable[..., torch.Tensor]) -> Any:
        generator = torch.Generator().manual_seed(0)
        state = torch.zeros(len(spec.state))
        return planner.plan(predict, cost, state, torch.zeros(3), start, generator)

    made = plan(lambda states, actions, _: (actions - wanted).abs().sum(dim=(1, 2)))
    assert made.action.tolist() == wanted.tolist()  # the last command is among the candidates
    assert (made.finite, made.samples, made.cost_min) == (400, 400, 0.0)
    with pytest.raises(NoFinitePlan):
        plan(lambda states, actions, _: torch.full((len(actions),), torch.nan))


def test_the_policy_drives_a_base_of_a_file_back_to_its_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES / "policy"))
    import pure_pursuit

    from ros_mbmrl.planning.base import WarmStart
    from ros_mbmrl.robots.described.reading import parse_description
    from ros_mbmrl.robots.described.robot import described_robot
    from tests.robots.described.examples import ARM, BASE

    robot = described_robot(parse_description(BASE, Path("base.yaml")))
    policy = pure_pursuit.make(robot.spec, lookahead=0.3)
    state = torch.tensor([0.0, 0.2, 1.0, 0.0, 0.0, 0.0])  # 20 cm left of a straight path
    task = robot.make_task("straight", torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0, 0.0]).numpy())
    previous, generator = torch.zeros(2), torch.Generator().manual_seed(0)
    for _ in range(60):
        reference = task.reference(state.double().numpy())
        made = policy.plan(None, None, state, reference, WarmStart(None, previous), generator)
        previous = made.action
        change = torch.stack([0.1 * previous[0], previous[0] * 0, 0.1 * previous[1], *previous * 0])
        state = robot.advance(state, change)
    assert abs(float(state[1])) < 0.02 and float(state[0]) > 1.0
    arm = described_robot(parse_description(ARM, Path("arm.yaml")))
    with pytest.raises(ValueError, match="arm: expected a pose, a speed"):
        pure_pursuit.make(arm.spec)


def test_the_adapter_is_not_moved_by_one_wild_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES / "adapter"))
    from median_residual import MedianResidual

    from ros_mbmrl.networks.mlp import MLP

    mlp = MLP((3, 4, 2))
    parameters = mlp.init(torch.Generator().manual_seed(0))
    x = torch.randn((2, 5, 3), generator=torch.Generator().manual_seed(1))
    y = mlp.forward(parameters, x) + torch.tensor([0.2, -0.4])
    y[0, 1] += 1000.0
    y[1, 2] = torch.nan
    weight = torch.ones((2, 5, 1))
    weight[1, 2] = 0
    support = Support(x, y, weight, torch.ones(2))
    update = MedianResidual(gain=0.5).update(mlp, parameters, support)
    bias = update.layers[-1].bias
    assert bias is not None
    torch.testing.assert_close(bias[:, 0], torch.tensor([[0.1, -0.2], [0.1, -0.2]]))
    nothing = Support(x, y, torch.zeros((2, 5, 1)), torch.ones(2))
    empty = MedianResidual().update(mlp, parameters, nothing).layers[-1].bias
    assert empty is not None and not empty.any()
    with pytest.raises(ValueError, match="gain: expected a number in"):
        MedianResidual(gain=2.0)


def test_the_learner_solves_for_the_last_layer_on_all_rows_so_far(
    prior: tuple[DynamicsModel, Parameters],
    rollouts: list[Rollout],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES / "learner"))
    from least_squares import LastLayerLearner, LeastSquares

    (model, start), config = prior, TrainConfig(batch=5)
    drawn: list[Support] = []

    class Store(SegmentSampler):
        def draw(self, *given: Any) -> tuple[Support, Support]:
            drawn.extend(pair := super().draw(*given))
            return pair

    store = Store(Transitions.of(model.robot, rollouts), (2, 4), 3)
    learner = LastLayerLearner(LeastSquares(ridge=0.5), model, start, config)
    generator = torch.Generator().manual_seed(0)
    losses = [learner.update(store, generator)["loss"] for _ in range(4)]
    assert losses[-1] < losses[0]

    last = model.mlp.layers - 1
    rows = [0.5**0.5 * torch.eye(model.mlp.sizes[-2] + 1)]  # the ridge, as rows
    wanted = [0.5**0.5 * torch.cat([start[f"w{last}"], start[f"b{last}"][None]])]
    for part in drawn:
        h = part.forward(model.mlp, start, model.mlp.no_update).inputs[-1].flatten(0, 1)
        counts = part.weight.reshape(-1, 1)
        rows.append(counts * torch.cat([h, torch.ones(len(h), 1)], dim=1))
        wanted.append(counts * part.y.flatten(0, 1))
    expected = torch.linalg.lstsq(torch.cat(rows).double(), torch.cat(wanted).double()).solution
    kept = learner.snapshot()
    torch.testing.assert_close(kept[f"parameters/w{last}"], expected[:-1].float())
    torch.testing.assert_close(kept[f"parameters/b{last}"], expected[-1].float())
    assert torch.equal(kept["parameters/w0"], start["w0"])

    resumed = LastLayerLearner(LeastSquares(ridge=0.5), model, start, config)
    resumed.restore(kept)
    state = generator.get_state()
    after = learner.update(store, generator), learner.snapshot()
    assert after[0]["loss"] == resumed.update(store, generator.set_state(state))["loss"]
    assert all(torch.equal(value, resumed.snapshot()[name]) for name, value in after[1].items())
    with pytest.raises(ValueError, match="ridge: expected a number above 0, got 0"):
        LeastSquares(ridge=0)
