"""Candidates of an ensemble keep their members, however time cuts them into blocks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ros_mbmrl.errors import UserError
from ros_mbmrl.planning import make_planner
from ros_mbmrl.planning.base import WarmStart
from ros_mbmrl.planning.batch import make_batch_planner
from ros_mbmrl.planning.members import Delayed, blocks_of, copied, member_count, risky
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


def planned(**settings: Any) -> Tensor:
    planner, generator = make_planner("cem", SPEC, **settings), torch.Generator().manual_seed(0)
    start, goal = WarmStart(None, torch.zeros(2)), torch.tensor([60.0, 40.0])
    with torch.inference_mode():
        return planner.plan(Team(2), far, torch.zeros(2), goal, start, generator).actions


def test_risk_is_the_mean_and_the_deviation_over_members() -> None:
    costs = torch.tensor([1.0, 3.0, 5.0, 5.0])  # two candidates, two members
    assert risky(costs, 2, 0.5).tolist() == [2.5, 5.0]
    assert risky(costs, 1, 0.5) is costs
    rows = copied(torch.arange(3.0).view(3, 1, 1), 2)
    assert rows.flatten().tolist() == [0, 0, 1, 1, 2, 2]


def test_a_planner_that_minds_risk_goes_where_members_agree() -> None:
    """Members move by a and 2 a towards g; the costs are (g - a)^2 and (g - 2 a)^2."""
    settings: dict[str, Any] = {"num_samples": 200, "horizon": 1, "iterations": 8, "sigma": 0.4}
    # Their mean is least at a = 3 g / 5; with beta = 1 the larger of the two, at a = 2 g / 3.
    assert float(planned(risk=1e-3, **settings).sum()) == pytest.approx(60.0, abs=2.0)
    assert float(planned(risk=1.0, **settings).sum()) == pytest.approx(66.7, abs=2.0)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"risk": -0.1}, "risk: expected a number from 0"),
        ({"risk": 1.0, "particles": "mean"}, "risk: expected particles of ts_inf or ts1"),
        ({"sample": True, "particles": "mean"}, "sample: expected particles of ts_inf or ts1"),
        ({"sample": 1}, "sample: expected true or false"),
        ({"particles": "ts2"}, "particles: expected one of"),
        ({"horizon": 0}, "horizon: expected an integer above 0"),
    ],
)
def test_wrong_settings_are_one_line(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        make_planner("icem", SPEC, **settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"risk": 1.0}, "risk: expected 0, a model of several members"),
        ({"particles": "ts1"}, "particles: expected an ensemble"),
        ({"sample": True}, "sample: expected an ensemble"),
    ],
)
def test_what_needs_an_ensemble_is_refused_for_one_network(
    settings: dict[str, Any], said: str
) -> None:
    planner = make_planner("mppi", SPEC, **settings)
    start, generator = WarmStart(None, torch.zeros(2)), torch.Generator()

    def alone(states: Tensor, actions: Tensor) -> Tensor:
        return torch.cat([states[:, None], states[:, None] + actions.cumsum(1)], dim=1)

    with pytest.raises(UserError, match=said):
        planner.plan(alone, far, torch.zeros(2), torch.zeros(2), start, generator)


def test_robots_that_are_planned_for_together_do_not_sample() -> None:
    with pytest.raises(UserError, match="sample: expected false"):
        make_batch_planner("mppi", SPEC, {"sample": True}, torch.device("cpu"))
