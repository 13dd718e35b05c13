"""Plans that a value function goes on with."""

import numpy as np
import torch

from ros_mbmrl.agents.valued import ValuedTask, value_for, with_value
from ros_mbmrl.planning import make_planner
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.task import rewards_each
from tests.dynamics.test_value import ROBOT, a_value


def run_task():
    return ROBOT.make_task("run", np.zeros(18))


def test_a_plan_costs_less_what_comes_after_it() -> None:
    value, task = a_value(), run_task()
    states, actions = torch.randn(6, 4, 18), torch.zeros(6, 3, 6)
    reference = task.reference(np.zeros(18))
    valued = with_value(task, value)
    torch.testing.assert_close(
        valued.cost(states, actions, reference),
        task.cost(states, actions, reference) - value(states[:, -1]),
    )


def test_many_robots_are_costed_at_once() -> None:
    value, task = a_value(), run_task()
    valued, states, actions = (
        with_value(task, value),
        torch.randn(2, 6, 4, 18),
        torch.zeros(2, 6, 3, 6),
    )
    reference = torch.stack([valued.reference(np.zeros(18))] * 2)
    costs = valued.cost(states, actions, reference)
    assert costs.shape == (2, 6)
    torch.testing.assert_close(costs[1], valued.cost(states[1], actions[1], reference[1]))


def test_a_task_that_depends_on_its_reference_stays_as_it_is() -> None:
    arm = make_robot("arm_7dof")
    task = arm.make_task(arm.tasks()[0], np.zeros(len(arm.spec.state)))
    assert with_value(task, a_value()) is task
    assert with_value(run_task(), None).__class__ is run_task().__class__


def test_a_planner_can_do_without() -> None:
    value = a_value()
    assert value_for(make_planner("icem", ROBOT.spec), value) is value
    assert value_for(make_planner("icem", ROBOT.spec, terminal_value=False), value) is None
    assert value_for(object(), value) is None


def test_rewards_are_those_of_the_task_alone() -> None:
    before, after = np.zeros((1, 18)), np.zeros((1, 18))
    after[0, 0] = 0.1
    (reward,) = rewards_each([run_task()], before, np.zeros((1, 6)), after)
    assert abs(reward - 2.0) < 1e-6
    assert isinstance(with_value(run_task(), a_value()), ValuedTask)
