"""What an agent acts with: exchanged between episodes or steps, prepared once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ros_mbmrl.adaptation.guard import Guard, make_guard
from ros_mbmrl.agents.chance_planner import ChancePlanner
from ros_mbmrl.agents.live import Acting
from ros_mbmrl.agents.policy_planner import PolicyPlanner
from ros_mbmrl.dynamics.blank import blank_model
from ros_mbmrl.dynamics.files import save_model
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.asynchronous.live_versions import Following, LiveVersions
from ros_mbmrl.learning.asynchronous.servers import Servers
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.planning import make_planner
from ros_mbmrl.planning.base import Planner
from ros_mbmrl.policies.files import save_policy
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.trained import TrainedPolicy
from ros_mbmrl.robots import make_robot

ROBOT = make_robot("hexapod")
PLANNER = make_planner("mppi", ROBOT.spec, num_samples=8)


class Run:
    """A run of a hexapod, and an agent that follows it from nothing."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.servers, self.told, self.prepared = Servers(folder), list[str](), 0
        self.following = Following(**settings)
        self.versions = LiveVersions(
            ROBOT,
            self.servers.models,
            self.servers.policies,
            self.following,
            self._prepare,
            self.told.append,
        )
        blank = blank_model(ROBOT)
        chance = ChancePlanner(ROBOT.spec, np.random.default_rng(0))
        self.acting = Acting(blank.model, make_guard(blank), chance)

    def _prepare(self, model: DynamicsModel, guard: Guard) -> tuple[DynamicsModel, Planner]:
        self.prepared += 1
        return model, PLANNER

    def push_model(self, bias: float = 0.0) -> None:
        blank = blank_model(ROBOT)
        parameters = {**blank.parameters, "b0": blank.parameters["b0"] + bias}
        facts = {"method": "mb", "adapt_window": 4, "predict_window": 4, "horizon": 5}
        self.servers.models.push(lambda f: save_model(f, blank.model, parameters, facts))

    def push_policy(self) -> None:
        sizes = len(ROBOT.observed), len(ROBOT.spec.action)
        mlp = MLP(sizes)
        policy = GaussianPolicy(mlp, torch.zeros(sizes[0]), torch.ones(sizes[0]))
        parameters = policy.init(torch.Generator().manual_seed(0))
        trained = TrainedPolicy(policy, parameters, ())
        facts = {"method": "me_trpo"}
        self.servers.policies.push(lambda f: save_policy(f, ROBOT, trained, facts))

    def turn(self) -> Acting:
        """Look, and return what acts from then on."""
        self.versions.look()
        self.acting = self.versions.next(self.acting)
        return self.acting


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Run]:
    return lambda **settings: Run(tmp_path, **settings)


def test_chance_acts_until_there_is_a_model_and_then_the_planner(make: Any) -> None:
    run = make()
    before = run.acting
    assert run.turn() is before
    run.push_model(bias=0.5)
    acting = run.turn()
    assert acting.planner is PLANNER
    assert acting.guard.window_size == 4
    assert float(acting.guard.parameters["b0"][0]) == 0.5
    assert run.versions.numbers == {"model_version": 0, "policy_version": -1}
    run.push_model()
    run.turn()
    assert run.versions.numbers["model_version"] == 1
    assert run.prepared == 1


def test_a_planner_that_was_tuned_in_between_stays(make: Any) -> None:
    run = make()
    run.push_model()
    tuned = make_planner("mppi", ROBOT.spec, num_samples=16)
    run.acting = Acting(*(run.turn().model, run.acting.guard, tuned))
    run.push_model()
    assert run.turn().planner is tuned


def test_between_episodes_and_not_within_one(make: Any) -> None:
    run = make(switch="episode")
    run.push_model()
    run.versions.episode("start")
    before = run.acting
    assert run.turn() is before
    run.versions.episode("stop")
    assert run.turn() is not before


def test_the_first_of_several_models_in_one_episode_brings_the_planner_all_the_same(
    make: Any,
) -> None:
    run = make(switch="episode")
    run.versions.episode("start")
    for _ in range(3):
        run.push_model()
        run.turn()
    run.versions.episode("discard")
    assert run.turn().planner is PLANNER
    assert run.versions.numbers["model_version"] == 2


def test_between_any_two_steps_if_told(make: Any) -> None:
    run = make(switch="step")
    run.versions.episode("start")
    run.push_model()
    assert run.turn().planner is PLANNER


def test_a_policy_takes_chances_place_and_a_model_goes_with_it(make: Any) -> None:
    run = make(policy=True)
    run.push_model()
    chance = run.acting.planner
    assert run.turn().planner is chance  # a model alone is no policy
    run.push_policy()
    assert isinstance(run.turn().planner, PolicyPlanner)
    assert run.versions.numbers == {"model_version": 0, "policy_version": 0}


def test_a_broken_model_is_told_and_the_old_one_stays(make: Any) -> None:
    run = make()
    run.push_model()
    before = run.turn()
    run.servers.models.push(lambda folder: (folder / "card.yaml").write_text("]"))
    assert run.turn() is before
    assert len(run.told) == 1
    assert run.told[0].startswith("model version 1 is refused")
    assert run.versions.numbers["model_version"] == 0


def test_an_unknown_switch_is_refused() -> None:
    with pytest.raises(UserError, match="switch"):
        Following(switch="never")
