"""All of a step stays where its model is: tried on torch's device without numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Generator

from ros_mbmrl.adaptation import METHODS, make_rule
from ros_mbmrl.adaptation.guard import make_guard, support_of
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.planning.mppi import importance_weights
from ros_mbmrl.planning.sampling import Limits
from ros_mbmrl.robots.spec import Robot

THERE = torch.device("meta")


@pytest.mark.parametrize("method", METHODS)
def test_adapting_and_planning_for_many(prior: Any, method: str) -> None:
    model, parameters = prior
    rule = make_rule(method)
    own = rule.init(model.mlp, parameters, Generator().manual_seed(0))
    card = {"method": method, "adapt_window": 8}
    loaded = LoadedModel(model, {**parameters, **own}, card).to(THERE, torch.float32)
    guard, model = make_guard(loaded), loaded.model
    for rows in (8, 5):
        window = [torch.empty(3, rows, width, device=THERE) for width in (1, 2, 4, 1)]
        update, verdict = guard.update(model.mlp, support_of(model, *window))
    assert verdict.accepted.device == THERE
    actions = torch.empty(3, 6, 5, 2, device=THERE)
    predict = model.predictor_each(guard.parameters, update)
    states = predict(torch.empty(3, 4, device=THERE), actions)
    weights = importance_weights(states[..., -1, 3], 0.1, relative=True)
    assert states.device == weights.device == THERE
    assert states.shape == (3, 6, 6, 4)


def test_limits_and_normalisation_move(robot: Robot, rollouts: Sequence[Rollout]) -> None:
    limits = Limits.of(robot.spec).to(THERE)
    normalizer = Transitions.of(robot, rollouts).normalizer().to(THERE)
    assert {limits.low.device, limits.high.device, limits.max_step.device} == {THERE}
    assert normalizer.inputs(*(torch.empty(7, w, device=THERE) for w in (1, 2))).device == THERE
