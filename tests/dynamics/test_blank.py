"""A model from before anything was learned: nothing changes, nothing is adapted."""

from __future__ import annotations

import pytest
import torch

from ros_mbmrl.adaptation.guard import make_guard
from ros_mbmrl.dynamics.blank import blank_model
from ros_mbmrl.robots import make_robot


@pytest.mark.parametrize("name", ["hexapod", "pr2_arm", "half_cheetah"])
def test_no_state_ever_changes(name: str) -> None:
    robot = make_robot(name)
    loaded = blank_model(robot)
    state = torch.zeros(len(robot.spec.state))
    actions = torch.ones(3, 4, len(robot.spec.action))
    predict = loaded.model.predictor(loaded.parameters)
    features = robot.features(predict(state.expand(3, -1), actions))
    after = features[:, 1:]  # whatever of the start is computed from the rest of the state
    torch.testing.assert_close(after, after[:, :1].expand_as(after))


def test_its_guard_returns_the_prior() -> None:
    loaded = blank_model(make_robot("hexapod"))
    guard = make_guard(loaded)
    assert not guard.rule.adapts
    assert guard.prior().parameters is guard.parameters
