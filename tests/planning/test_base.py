"""A plan, and where the next one starts."""

from __future__ import annotations

import torch

from ros_mbmrl.planning.base import Plan, Tried
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


def test_candidates_are_ranked_by_cost_and_spread_over_all_ranks() -> None:
    costs = torch.tensor([5.0, torch.nan, 1.0, torch.inf, 3.0, 2.0, 4.0, -torch.inf])
    tried = Tried(torch.arange(8.0).view(8, 1, 1), costs)
    some = tried.ranked(3)
    assert some.costs.tolist() == [1.0, 3.0, 5.0]
    assert some.actions.flatten().tolist() == [2.0, 4.0, 0.0]
    assert tried.ranked(24).costs.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert tried.ranked(1).costs.tolist() == [1.0]
