"""A robot with causes as features: they stand at their defaults, all else is the robot's."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from ros_mbmrl.robots.conditioned import ConditionedRobot, modelled_causes, unconditioned
from ros_mbmrl.robots.quantities import Cause
from ros_mbmrl.robots.spec import Robot

PUSH = Cause("push", "N", -2.0, 2.0, 0.0, (-1.0, 1.0))
LOAD = Cause("load", "kg", 0.0, 3.0, 0.5, (2.0,))


@pytest.fixture
def plain(robot: Robot) -> Robot:
    robot = copy(robot)
    robot.spec = replace(robot.spec, causes=(PUSH, LOAD))
    return robot


def test_causes_are_the_last_features_at_their_defaults(plain: Robot) -> None:
    robot, states = ConditionedRobot(plain), torch.randn(3, 2, 4)
    assert robot.spec.features == (*plain.spec.features, "push", "load")
    found = robot.features(states)
    torch.testing.assert_close(found[..., :-2], plain.features(states))
    assert (found[..., -2:] == torch.tensor([0.0, 0.5])).all()


def test_states_that_turn_causes_are_features_before_them(plain: Robot) -> None:
    plain.spec = replace(plain.spec, cause_frame=(plain.spec.state[1].name,))
    robot, states = ConditionedRobot(plain), torch.randn(3, 2, 4)
    assert robot.spec.features == (*plain.spec.features, plain.spec.state[1].name, "push", "load")
    assert (robot.features(states)[..., -3] == states[..., 1]).all()
    found = plain.as_modelled(robot.spec.features)
    assert isinstance(found, ConditionedRobot) and found.spec.features == robot.spec.features


def test_all_else_is_the_robot(plain: Robot) -> None:
    robot, states = ConditionedRobot(plain), torch.randn(3, 4)
    change = robot.difference(states, states + 0.1)
    torch.testing.assert_close(change, plain.difference(states, states + 0.1))
    torch.testing.assert_close(robot.advance(states, change), plain.advance(states, change))
    torch.testing.assert_close(robot.observation(states), plain.observation(states))
    assert robot.observed == plain.observed and robot.tasks() == plain.tasks()
    assert robot.pose(np.ones(4)) == plain.pose(np.ones(4))
    assert robot.follows_paths == plain.follows_paths


def test_a_card_with_its_features_is_of_it(plain: Robot) -> None:
    features = ConditionedRobot(plain).spec.features
    assert plain.as_modelled(plain.spec.features) is plain
    found = plain.as_modelled(features)
    assert isinstance(found, ConditionedRobot) and found.spec.features == features
    assert found.as_modelled(plain.spec.features) is plain
    assert unconditioned(found) is plain and unconditioned(plain) is plain


def test_a_model_has_all_causes_or_none(plain: Robot) -> None:
    assert modelled_causes(plain.spec) == ()
    assert modelled_causes(ConditionedRobot(plain).spec) == (PUSH, LOAD)


def test_wrong_causes_are_one_line(robot: Robot) -> None:
    with pytest.raises(ValueError, match="toy: expected causes in its specification, got none"):
        ConditionedRobot(robot)
    robot = copy(robot)
    robot.spec = replace(robot.spec, causes=(Cause("speed", "N", 0.0, 1.0, 0.0, (1.0,)),))
    with pytest.raises(ValueError, match="toy: cause 'speed' is a feature, too"):
        ConditionedRobot(robot)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((1.0, 1.0, 1.0, (1.0,)), "expected low < high"),
        ((0.0, 1.0, 2.0, (1.0,)), "expected default and levels from 0.0 to 1.0, got 2.0"),
        ((0.0, 1.0, 0.0, (0.5, 1.5)), "expected default and levels from 0.0 to 1.0, got 1.5"),
        ((0.0, 1.0, 0.0, ()), "expected levels other than its default"),
        ((0.0, 1.0, 0.0, (0.0,)), "expected levels other than its default"),
    ],
)
def test_a_cause_has_levels_in_its_range(
    numbers: tuple[float, float, float, tuple[float, ...]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Cause("push", "N", *numbers)
