"""Roll-outs under an ensemble: every candidate by its own member, from first step to last."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Generator

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.guard import make_guard
from ros_mbmrl.adaptation.members import over
from ros_mbmrl.dynamics.files import load_model, save_model
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.ensemble import Ensemble, members_of
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.networks.updates import InputUpdate, Update
from ros_mbmrl.robots.spec import Robot

FACTS: dict[str, Any] = {"method": "mb", "options": {}, "adapt_window": 8, "seed": 0}


@pytest.fixture
def ensemble(robot: Robot) -> tuple[DynamicsModel, Parameters]:
    g = Generator().manual_seed(0)
    mlp = Ensemble((3, 8, 6, 4), "silu", members=3)
    statistics = (0.5 + torch.rand(n, generator=g) for n in (3, 3, 4, 4))
    return DynamicsModel(robot, mlp, Normalizer(*statistics)), mlp.init(g)


def alone(model: DynamicsModel, parameters: Parameters, member: int) -> Any:
    assert isinstance(model.mlp, Ensemble)
    single = DynamicsModel(model.robot, model.mlp.member, model.normalizer)
    return single.predictor(members_of(parameters)[member])


@pytest.mark.parametrize("count", [3, 6, 8])
def test_candidate_k_is_imagined_by_member_k_mod_e(
    ensemble: tuple[DynamicsModel, Parameters], count: int
) -> None:
    model, parameters = ensemble
    g = Generator().manual_seed(1)
    state, actions = torch.randn(count, 4, generator=g), torch.randn(count, 5, 2, generator=g)
    found = model.predictor(parameters)(state, actions)
    for k in range(count):
        expected = alone(model, parameters, k % 3)(state[k : k + 1], actions[k : k + 1])
        torch.testing.assert_close(found[k], expected[0], atol=1e-5, rtol=1e-5)


def test_a_single_sequence_is_the_mean_of_all_members(
    ensemble: tuple[DynamicsModel, Parameters],
) -> None:
    model, parameters = ensemble
    state, actions = torch.randn(1, 4), torch.randn(1, 5, 2)
    each = [alone(model, parameters, k)(state, actions) for k in range(3)]
    found = model.predictor(parameters)(state, actions)
    torch.testing.assert_close(found, torch.stack(each).mean(dim=0), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("count", [2, 7])
def test_many_robots_are_imagined_as_one_each(
    ensemble: tuple[DynamicsModel, Parameters], count: int
) -> None:
    model, parameters = ensemble
    g = Generator().manual_seed(2)
    state, actions = torch.randn(2, 4, generator=g), torch.randn(2, count, 5, 2, generator=g)
    change = InputUpdate(torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, 0.5]]), torch.zeros(2, 3))
    update = Update(model.mlp.no_update.layers, inputs=change)
    found = model.predictor_each(parameters, update)(state, actions)
    for n in range(2):
        own = model.mlp.materialise(parameters, update.tasks(slice(n, n + 1)))
        expected = model.predictor(own)(state[n].expand(count, -1), actions[n])
        torch.testing.assert_close(found[n], expected, atol=1e-5, rtol=1e-5)


def test_its_folder_is_read_as_it_was_written(
    ensemble: tuple[DynamicsModel, Parameters], robot: Robot, tmp_path: Path
) -> None:
    model, parameters = ensemble
    save_model(tmp_path / "m", model, parameters, FACTS)
    loaded = load_model(tmp_path / "m", robot)
    assert loaded.model.mlp == model.mlp
    assert all(torch.equal(loaded.parameters[k], v) for k, v in parameters.items())


def test_a_member_that_is_missing_is_named(
    ensemble: tuple[DynamicsModel, Parameters], robot: Robot, tmp_path: Path
) -> None:
    model, parameters = ensemble
    fewer = {k: v for k, v in parameters.items() if not k.startswith("member.2")}
    save_model(tmp_path / "m", model, fewer, FACTS)
    with pytest.raises(UserError, match="member.2.w0"):
        load_model(tmp_path / "m", robot)


def test_a_rule_s_parameters_are_missed_by_the_member_that_lacks_them(
    ensemble: tuple[DynamicsModel, Parameters], robot: Robot, tmp_path: Path
) -> None:
    save_model(tmp_path / "m", *ensemble, FACTS)
    loaded = load_model(tmp_path / "m", robot)
    assert make_guard(loaded, "mb_de").rule.inputs_only is False
    card = {**loaded.card, "method": "grbal"}
    with pytest.raises(UserError, match="the model has no 'member.0.psi.w0'"):
        make_guard(replace(loaded, card=card))


def test_candidates_with_memories_go_to_their_members(
    ensemble: tuple[DynamicsModel, Parameters],
) -> None:
    """A recurrent rule's memories: candidate k remembers what member k mod E does."""
    model, parameters = ensemble
    rule, g = make_rule("rebal", {"size": 5}), Generator().manual_seed(3)
    own = over(rule, model.mlp).init(model.mlp, parameters, g)
    own = {name: value + 0.1 * torch.randn(value.shape, generator=g) for name, value in own.items()}
    both, memories = parameters | own, torch.randn(3, 5, generator=g)
    state, actions = torch.randn(4, 4, generator=g), torch.randn(4, 5, 2, generator=g)
    found = model.predictor(both, memories)(state, actions)
    for k in range(4):
        member = members_of(both)[k % 3]
        single = model.member.predictor(member, memories[k % 3][None])
        expected = single(state[k : k + 1], actions[k : k + 1])[0]
        torch.testing.assert_close(found[k], expected, atol=1e-5, rtol=1e-5)
    mean = model.predictor(both, memories)(state[:1], actions[:1])
    each = [
        model.member.predictor(member, memories[k][None])(state[:1], actions[:1])
        for k, member in enumerate(members_of(both))
    ]
    torch.testing.assert_close(mean, torch.stack(each).mean(dim=0), atol=1e-5, rtol=1e-5)
