"""The rewards of table 5 of the thesis by hand, as costs of tasks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ros_mbmrl.robots import make_robot


@pytest.mark.parametrize("name", ["half_cheetah", "ant"])
def test_running_costs_what_table_5_says(name: str) -> None:
    robot = make_robot(name)
    task = robot.make_task("run", np.zeros(len(robot.spec.state)))
    states = torch.zeros(2, 3, len(robot.spec.state))
    states[0, :, 0] = torch.tensor([0.0, 0.1, 0.3])
    actions = torch.zeros(2, 2, len(robot.spec.action))
    actions[1, 0, :2] = torch.tensor([1.0, -0.5])
    effort, alive = {"half_cheetah": (0.05, 0.0), "ant": (0.005, 0.05)}[name]
    expected = torch.tensor([-(0.3 / 0.05), effort * 1.25]) - 2 * alive
    reference = task.reference(np.zeros(len(robot.spec.state)))
    assert reference.shape == (0,)
    torch.testing.assert_close(task.cost(states, actions, reference), expected)
    # Many robots at once.
    both = task.cost(states[None].repeat(4, 1, 1, 1), actions[None].repeat(4, 1, 1, 1), reference)
    torch.testing.assert_close(both, expected[None].repeat(4, 1))


def test_reaching_costs_the_squared_distance_of_every_robot_to_its_own_goal() -> None:
    task = make_robot("arm_7dof").make_task("reach", np.zeros(17))
    states = torch.zeros(2, 3, 4, 17)  # two robots, three candidates, three steps
    states[..., 14] = 0.5
    goals = torch.tensor([[0.5, 0.0, 0.2], [0.0, 0.0, 0.0]])
    cost = task.cost(states, torch.zeros(2, 3, 3, 7), goals)
    torch.testing.assert_close(cost, torch.tensor([[3 * 0.04] * 3, [3 * 0.25] * 3]))
    alone = task.cost(states[0], torch.zeros(3, 3, 7), goals[0])
    torch.testing.assert_close(alone, cost[0])
