"""A plan, and where the next one starts."""

from __future__ import annotations

import torch

from ros_mbmrl.planning.base import Plan
from ros_mbmrl.planning.modes import Mode


def test_a_plan_is_shifted_by_one_step_and_its_last_action_held() -> None:
    actions = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    found = Plan(actions[0], actions, 0.5, 0.7, finite=9, samples=10)
    sent = torch.tensor([7.0, 8.0])
    shifted = found.shifted(sent)
    assert shifted.actions is not None
    assert shifted.actions.tolist() == [[3.0, 4.0], [5.0, 6.0], [5.0, 6.0]]
    assert torch.equal(shifted.previous, sent)
    assert found.mode is Mode.FULL  # unless it says otherwise
