"""Candidates of an ensemble keep their members, however time cuts them into blocks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ros_mbmrl.planning import make_planner
from ros_mbmrl.planning.base import WarmStart
from ros_mbmrl.planning.members import Delayed, blocks_of, member_count
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.delay import Delay

SPEC = make_robot("hexapod").spec
PLENTY = 1e9  # seconds


class Team:
    """Member m adds (m + 1) times the action to the state in every step."""

    def __init__(self, members: int) -> None:
        self.members, self.asked = members, list[int]()

    def __call__(self, state: Tensor, actions: Tensor) -> Tensor:
        self.asked.append(len(actions))
        gains = 1.0 + torch.arange(len(actions)) % self.members
        moved = state[:, None] + gains[:, None, None] * actions.cumsum(1)
        return torch.cat([state[:, None], moved], dim=1)


def far(states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
    return (states[:, -1] - reference).square().sum(dim=1) / 1e4


def commands(name: str, members: int, deadline: Any, **settings: Any) -> tuple[Tensor, list[int]]:
    planner, team = make_planner(name, SPEC, **settings), Team(members)
    generator, start = torch.Generator().manual_seed(0), WarmStart(None, torch.zeros(2))
    with torch.inference_mode():
        for _ in range(3):
            goal = torch.tensor([200.0, 90.0])
            plan = planner.plan(team, far, torch.zeros(2), goal, start, generator, deadline)
            start = plan.shifted(plan.action)
    return plan.actions, team.asked


@pytest.mark.parametrize("name", ["mppi", "cem", "icem", "random_shooting"])
@pytest.mark.parametrize("members", [2, 4, 5, 7])
def test_a_deadline_that_cuts_nothing_short_changes_no_command(name: str, members: int) -> None:
    whole, asked = commands(name, members, None, num_samples=300, horizon=4)
    cut, blocks = commands(name, members, lambda: PLENTY, num_samples=300, horizon=4)
    assert max(asked) == 300 > max(blocks)
    torch.testing.assert_close(cut, whole, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("members", [1, 3, 4, 64])
@pytest.mark.parametrize("rows", [1, 65, 130, 300])
def test_a_candidate_s_place_in_its_block_is_its_number_mod_e(rows: int, members: int) -> None:
    numbers = torch.arange(rows).view(rows, 1, 1)
    blocks = blocks_of(numbers, min(4, rows), members)
    for block in blocks if members > 1 else ():
        places = torch.arange(len(block)) % members
        assert torch.equal(block.flatten() % members, places)
        assert len(block) >= min(rows, members)  # or all members would imagine each of them
    assert sorted(torch.cat(blocks).flatten().tolist()) == list(range(rows))
    assert int(blocks[0][0]) == 0  # the previous plan comes first


def test_a_delayed_model_has_the_members_of_what_it_delays() -> None:
    delayed = Delayed(Team(3), Delay(0, 0.5), torch.zeros(2))
    assert member_count(delayed) == 3
    assert member_count(lambda states, actions: states) == 1
    states = delayed(torch.zeros(3, 2), torch.ones(3, 2, 2))
    # Half of the first action acts in the first step; the gains are 1, 2, 3.
    torch.testing.assert_close(states[:, 1, 0], torch.tensor([0.5, 1.0, 1.5]))
