"""Real returns of policies whose actions are known: nothing explores, tests are paired."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ros_mbmrl.evaluation.policies.judge import judge
from ros_mbmrl.evaluation.policies.training import tasks_of
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.adapt import InnerConfig
from ros_mbmrl.policies.advantages import LinearBaseline
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.squashed import SquashedPolicy
from ros_mbmrl.policies.trained import TrainedPolicy

POLICY = GaussianPolicy(MLP((2, 2)), torch.zeros(2), torch.ones(2))


def trained(bias: tuple[float, float], log_std: float = 0.0) -> TrainedPolicy:
    """A policy of points that always takes one action on average."""
    parameters = {
        "w0": torch.zeros(2, 2),
        "b0": torch.tensor(bias),
        "log_std": torch.full((2,), log_std),
    }
    return TrainedPolicy(POLICY, parameters, ())


def test_the_mean_action_is_judged() -> None:
    """Three steps of .1 m to the right: the distance to the goal is known."""
    found = judge(
        tasks_of("point_navigation"), trained((1.0, 0.0)), InnerConfig(0, horizon=3), 4, 7
    )
    assert found.before is None and found.explored is None
    for goal, value in zip(found.goals, found.returns, strict=True):
        ways = [np.hypot(0.1 * k - goal[0], goal[1]) for k in (1, 2, 3)]
        assert value == pytest.approx(-sum(way**2 for way in ways), abs=1e-5)


def test_a_squashed_policy_is_judged_by_the_same_tests() -> None:
    squashed = SquashedPolicy(MLP((2, 4)), torch.zeros(2), torch.ones(2))
    half = float(np.arctanh(0.5))
    parameters = {"w0": torch.zeros(2, 4), "b0": torch.tensor([half, -half, 0.0, 0.0])}
    tasks, inner = tasks_of("point_corners"), InnerConfig(0, horizon=5)
    found = judge(tasks, TrainedPolicy(squashed, parameters, ()), inner, 5, 3)
    same = judge(tasks, trained((0.5, -0.5)), inner, 5, 3)
    assert found.returns == pytest.approx(same.returns, abs=1e-4)
    assert found.goals == same.goals
    torch.testing.assert_close(found.after.observations, same.after.observations)


def test_tests_are_the_same_for_every_policy_of_a_seed() -> None:
    tasks, inner = tasks_of("point_corners"), InnerConfig(0, horizon=5)
    one, two = (judge(tasks, trained(b), inner, 5, 3) for b in ((0.0, 0.0), (1.0, 0.0)))
    other = judge(tasks, trained((0.0, 0.0)), inner, 5, 4)
    assert one.goals == two.goals != other.goals
    torch.testing.assert_close(one.after.observations[:, :, 0], two.after.observations[:, :, 0])
    assert one.returns == judge(tasks, trained((0.0, 0.0), 1.0), inner, 5, 3).returns


def test_one_that_adapts_is_judged_before_and_after() -> None:
    inner = InnerConfig(2, episodes=3, horizon=6, rate=1.0)
    from_here = trained((0.0, 0.0))
    baseline = LinearBaseline(torch.zeros(2 * 2 + 4, dtype=torch.float64))
    policy = TrainedPolicy(
        from_here.policy, from_here.parameters, (), baselines=(baseline, baseline)
    )
    found = judge(tasks_of("point_navigation"), policy, inner, 4, 0)
    still = judge(tasks_of("point_navigation"), from_here, InnerConfig(0, horizon=6), 4, 0)
    assert found.before == pytest.approx(still.returns, abs=1e-5)
    assert found.before is not None and found.returns != found.before
    paths = found.paths()
    assert np.shape(paths["explored"]) == np.shape(paths["after"]) == (4, 6, 2)
    assert found.explored is not None and found.explored.rewards.shape == (4, 3, 6)


def test_a_squashed_policy_is_judged_by_its_mean_action() -> None:
    parameters = {"w0": torch.zeros(2, 4), "b0": torch.tensor([9.0, 0.0, 1.0, 1.0])}
    policy = SquashedPolicy(MLP((2, 4)), torch.zeros(2), torch.ones(2))
    tasks, inner = tasks_of("point_navigation"), InnerConfig(0, horizon=3)
    found = judge(tasks, TrainedPolicy(policy, parameters, ()), inner, 4, 7)
    right = judge(tasks, trained((1.0, 0.0)), inner, 4, 7)  # tanh(9) is nearly 1
    assert found.returns == pytest.approx(right.returns, abs=1e-5)
    assert found.after.observations.shape == (4, 1, 3, 2)
    places = tasks_of("point_corners")  # where starts differ: they are those of other kinds, too
    each = (TrainedPolicy(policy, parameters, ()), trained((1.0, 0.0)))
    one, two = (judge(places, own, inner, 4, 7).after.observations[:, :, 0] for own in each)
    assert torch.equal(one, two)
