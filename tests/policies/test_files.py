"""Policy folders: what is written is what is read, and what does not fit is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from torch import Generator

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.maml_rl import MAMLConfig, train_maml_rl
from ros_mbmrl.networks.history import Histories
from ros_mbmrl.policies.adapt import InnerConfig
from ros_mbmrl.policies.files import load_policy, save_policy
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import TrainedPolicy
from ros_mbmrl.policies.with_history import HistoryPolicy

INNER = InnerConfig(episodes=2, horizon=5, rate=0.1)


@pytest.fixture
def folder(point_tasks: Tasks, tmp_path: Path) -> Path:
    trained = train_maml_rl(point_tasks, MAMLConfig(budget=1, tasks=2, inner=INNER, hidden=(4,)))
    save_policy(tmp_path, point_tasks.robot, trained, {"method": "maml_rl"}, INNER)
    return tmp_path


def test_a_policy_comes_back_as_it_was(point_tasks: Tasks, folder: Path) -> None:
    trained = train_maml_rl(point_tasks, MAMLConfig(budget=1, tasks=2, inner=INNER, hidden=(4,)))
    loaded = load_policy(folder, point_tasks.robot)
    assert loaded.card["method"] == "maml_rl"
    assert loaded.inner == INNER
    assert loaded.policy.mlp == trained.policy.mlp
    assert torch.equal(loaded.baselines[0].weights, trained.baselines[0].weights)
    seen = torch.randn(7, 2)
    ours = loaded.policy.means(loaded.parameters, seen)
    assert torch.equal(ours, trained.policy.means(trained.parameters, seen))
    assert torch.equal(loaded.parameters["log_std"], trained.parameters["log_std"])


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("robot", "another", "made for another robot"),
        ("clip", "wide", "not a complete policy"),
        ("network", {"sizes": [2, 5, 2], "activation": "tanh"}, "expected shape"),
        ("network", {"sizes": [1, 4, 2], "activation": "tanh"}, "do not fit the robot"),
        ("inner", {"steps": 2}, "not a complete policy"),
        ("weights_sha256", "0" * 64, "its hash differs"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(
    point_tasks: Tasks, folder: Path, key: str, value: object, expected: str
) -> None:
    card = yaml.safe_load((folder / "card.yaml").read_text())
    (folder / "card.yaml").write_text(yaml.safe_dump({**card, key: value}))
    with pytest.raises(UserError, match=expected):
        load_policy(folder, point_tasks.robot)


def test_a_card_says_how_the_parameters_act(point_tasks: Tasks, tmp_path: Path) -> None:
    trained = train_maml_rl(point_tasks, MAMLConfig(budget=1, tasks=2, inner=INNER, hidden=(4,)))
    early = replace(trained, before_update=True)
    cases = ((trained, INNER, "after_practice"), (trained, None, "as_trained"))
    for policy, inner, acts in (*cases, (early, None, "before_update")):
        save_policy(tmp_path, point_tasks.robot, policy, {"method": "x"}, inner)
        assert load_policy(tmp_path, point_tasks.robot).card["acts"] == acts


def test_weights_that_are_not_finite_are_refused(point_tasks: Tasks, tmp_path: Path) -> None:
    trained = train_maml_rl(point_tasks, MAMLConfig(budget=1, tasks=2, inner=INNER, hidden=(4,)))
    broken = {**trained.parameters, "b0": torch.full((4,), torch.nan)}
    save_policy(tmp_path, point_tasks.robot, replace(trained, parameters=broken), {"method": "x"})
    with pytest.raises(UserError, match="non-finite"):
        load_policy(tmp_path, point_tasks.robot)


def test_a_policy_with_a_history_comes_back(point_tasks: Tasks, tmp_path: Path) -> None:
    robot = point_tasks.robot
    layout = Histories(len(robot.observed), len(robot.spec.action), 4, rewards=True)
    policy = HistoryPolicy.of(layout, 5, (8,), "silu")
    parameters = policy.init(Generator().manual_seed(0))
    save_policy(tmp_path, robot, TrainedPolicy(policy, parameters, ()), {"method": "m3po"})
    loaded = load_policy(tmp_path, robot)
    assert isinstance(loaded.policy, HistoryPolicy)
    assert (loaded.policy.layout, loaded.policy.encoder) == (layout, policy.encoder)
    seen = torch.randn(7, layout.size)
    ours = loaded.policy.means(loaded.parameters, seen)
    assert torch.equal(ours, policy.means(parameters, seen))
    card = yaml.safe_load((tmp_path / "card.yaml").read_text())
    card["network"]["history"]["units"] = 6
    (tmp_path / "card.yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(UserError, match="not a complete policy"):
        load_policy(tmp_path, robot)
