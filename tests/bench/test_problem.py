"""The problem of the benches: the same from the same seed, and one that adapting helps with."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from ros_mbmrl.bench.problem import CHANGE, check_network, make_problem, make_window
from ros_mbmrl.robots import make_robot


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def test_the_network_fits_the_robot_and_the_seed_decides_it() -> None:
    spec = make_robot("hexapod").spec
    one, two, other = (make_problem((8, 5), "tanh", seeded(seed)) for seed in (1, 1, 2))
    inputs = len(spec.features) + len(spec.action)
    assert one.model.mlp.sizes == (inputs, 8, 5, len(spec.changes))
    assert all(torch.equal(one.parameters[name], two.parameters[name]) for name in one.parameters)
    assert not torch.equal(one.parameters["w0"], other.parameters["w0"])


def test_the_robot_stands_upright_at_the_start_of_a_path() -> None:
    problem = make_problem((8,), "tanh", seeded())
    robot = problem.model.robot
    assert robot.tilt(problem.state) == 0.0
    assert robot.pose(problem.state) == (0.0, 0.0, 0.0)
    assert problem.task() is not problem.task()  # each at its beginning


def test_the_prior_is_wrong_by_the_same_everywhere_in_a_window() -> None:
    problem = make_problem((8,), "tanh", seeded())
    window = make_window(problem, 12, seeded(3))
    predicted = problem.model.predict(problem.parameters, window.features, window.actions)
    assert len(window) == 12
    torch.testing.assert_close(window.changes - predicted, torch.full_like(predicted, CHANGE))


@pytest.mark.parametrize(("hidden", "activation"), [((0,), "tanh"), ((8,), "step")])
def test_a_network_that_cannot_be_is_refused(hidden: tuple[int, ...], activation: str) -> None:
    check_network((8, 8), "silu")
    with pytest.raises(ValueError, match="expected"):
        check_network(hidden, activation)
