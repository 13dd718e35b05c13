"""Biased imagination: N(b, 0.1^2) on what is observed, with the bias of the member that moves."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.biased import biased, observed_changes
from ros_mbmrl.dynamics.imagination import Imagination
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Robot

ROWS, BIASES = 4000, torch.tensor([0.0, 0.5, 1.0])


def imagined(robot: Robot, scheme: str = "eps_rand") -> Imagination:
    states, actions = len(robot.spec.state), len(robot.spec.action)
    inputs, one = len(robot.spec.features) + actions, torch.ones
    mlp = Ensemble((inputs, states), members=3)
    scale = 3.0 * one(states)  # a bias is in the unit of the change, not normalised
    normalizer = Normalizer(torch.zeros(inputs), one(inputs), torch.zeros(states), scale)
    parameters = {k: torch.zeros_like(v) for k, v in mlp.init(Generator()).items()}
    return Imagination.of(DynamicsModel(robot, mlp, normalizer), parameters, scheme)


def moved(imagination: Imagination, members: Tensor, seed: int = 0) -> Tensor:
    """Return the changes of states that the models would leave as they are."""
    spec = imagination.model.robot.spec
    states, actions = torch.zeros(ROWS, len(spec.state)), torch.zeros(ROWS, len(spec.action))
    generator = Generator().manual_seed(seed)
    return biased(imagination, BIASES).step(states, actions, members, generator)


def test_each_member_has_its_bias_and_all_have_noise() -> None:
    members = torch.arange(ROWS) % 3
    found = moved(imagined(make_robot("half_cheetah")), members)
    assert not found[:, 0].any()  # where it is on the ground is not observed
    for k, bias in enumerate(BIASES.tolist()):
        own = found[members == k][:, 1:]
        assert own.mean(dim=0).tolist() == pytest.approx([bias] * 17, abs=0.02)
        assert own.std(dim=0).tolist() == pytest.approx([0.1] * 17, abs=0.01)


def test_a_bias_is_of_the_member_that_is_drawn_in_a_step() -> None:
    found = moved(imagined(make_robot("half_cheetah"), "step_rand"), torch.zeros(ROWS).long())
    assert float(found[:, 1:].mean()) == pytest.approx(0.5, abs=0.02)  # and not 0
    assert torch.equal(found, moved(imagined(make_robot("half_cheetah"), "step_rand"), BIASES))


@pytest.mark.parametrize(
    ("name", "hidden"),
    [("half_cheetah", ["x"]), ("ant", []), ("hopper", ["x"]), ("arm_7dof", [])],
)
def test_a_planar_place_on_the_ground_is_not_observed(name: str, hidden: list[str]) -> None:
    robot = make_robot(name)
    observed, changes = observed_changes(robot).tolist(), robot.spec.changes
    assert [each.name for each, seen in zip(changes, observed, strict=True) if not seen] == hidden


def test_a_statistic_of_all_members_has_that_of_their_biases() -> None:
    found = moved(imagined(make_robot("half_cheetah"), "model_mean"), torch.zeros(ROWS).long())
    assert found[:, 1:].mean(dim=0).tolist() == pytest.approx([0.5] * 17, abs=0.02)
    assert found[:, 1:].std(dim=0).tolist() == pytest.approx([0.1] * 17, abs=0.01)
