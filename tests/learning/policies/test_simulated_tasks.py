"""Tasks of simulated robots: what is drawn, and who is made of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ros_mbmrl.errors import UserError

pytest.importorskip("mujoco")

from ros_mbmrl.learning.policies.simulated_tasks import HORIZONS, simulated_tasks
from ros_mbmrl.simulation.distributions import TRAINING
from ros_mbmrl.simulation.points import POINTS
from ros_mbmrl.simulation.situations import Situation


def test_a_robots_first_distribution_is_the_default() -> None:
    tasks = simulated_tasks("half_cheetah")
    situations, seeds = tasks.drawn(np.random.default_rng(3), 4)
    rng = np.random.default_rng(3)
    assert situations == [TRAINING["cheetah-disabled"](rng) for _ in range(4)]
    robots = tasks.make(situations, seeds)
    assert len(robots) == 4 and robots.observe().shape == (4, tasks.observations)
    assert tasks.goals == 0


def test_several_distributions_are_drawn_alike() -> None:
    tasks = simulated_tasks("half_cheetah", ("cheetah-disabled", "cheetah-slope"))
    situations, _ = tasks.drawn(np.random.default_rng(0), 400)
    assert sum(bool(each.faults) for each in situations) == pytest.approx(200, abs=40)


def test_a_robot_without_a_distribution_is_as_it_should_be() -> None:
    assert simulated_tasks("hopper").drawn(np.random.default_rng(0), 2)[0] == [Situation()] * 2


def test_an_environment_has_situations_of_its_own() -> None:
    tasks = simulated_tasks("hopper", ("promp-hopper-rand-params",))
    assert tasks.names == ("promp-hopper-rand-params",)
    first, second = tasks.drawn(np.random.default_rng(0), 2)[0]
    assert first.parameters != second.parameters
    with pytest.raises(UserError, match="one environment alone"):
        simulated_tasks("hopper", ("promp-hopper-rand-params", "me-trpo-hopper"))


def test_an_arm_has_goals() -> None:
    assert simulated_tasks("arm_7dof").goals == 3


@pytest.mark.parametrize("name", POINTS)
def test_points_are_tasks_too(name: str) -> None:
    tasks = simulated_tasks(name)
    points = tasks.make(*tasks.drawn(np.random.default_rng(0), 3))
    assert points.observe().shape == (3, tasks.observations) == (3, 2)
    with pytest.raises(UserError, match=f"unknown situations of robot '{name}'"):
        simulated_tasks(name, ("cheetah-slope",))


def test_what_is_not_simulated_is_refused() -> None:
    with pytest.raises(UserError, match="unknown simulated robot 'hexapod'"):
        simulated_tasks("hexapod")
    with pytest.raises(UserError, match="unknown situations of robot 'ant' 'cheetah-slope'"):
        simulated_tasks("ant", ("cheetah-slope",))


@pytest.mark.parametrize("name", ["cart-pole", "acrobot"])
def test_tasks_that_differ_in_masses(name: str) -> None:
    tasks = simulated_tasks(name)
    situations, seeds = tasks.drawn(np.random.default_rng(0), 3)
    world = tasks.make(situations, seeds)
    assert len({each.masses for each in situations}) == 3 and tasks.one_reward
    assert world.observe().shape == (3, tasks.observations)
    assert tasks.physics is None  # one function for each task
    states = torch.tensor([[3.1, 0.0, 0.1, 0.0], [0.0, 0.0, 0.0, 0.0]])
    assert (tasks.ended is None) == (name == "cart-pole")
    assert tasks.ended is None or tasks.ended(states).tolist() == [True, False]
    assert HORIZONS[name] == {"cart-pole": 25, "acrobot": 200}[name]


def test_the_pendulum_tells_its_physics() -> None:
    tasks = simulated_tasks("pendulum")
    world = tasks.make(*tasks.drawn(np.random.default_rng(0), 3))
    before, sent = world.states(), np.array([[0.5], [-1.0], [2.0]])
    world.step(sent)
    assert tasks.physics is not None and tasks.observations == 3
    moved = tasks.physics(torch.as_tensor(before), torch.as_tensor(sent))
    np.testing.assert_allclose(moved, world.states())
