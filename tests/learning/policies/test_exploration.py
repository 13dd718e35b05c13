"""Who is told to explore: the part of the meta-gradient before the update, on the 4 corners."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

from ros_mbmrl.learning.policies.maml_vpg import meta_objective
from ros_mbmrl.learning.policies.meta_learner import Sampled
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.adapt import InnerConfig, adapt, practise, repeated
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.sampling import Discounts, Tasks, experience_of
from ros_mbmrl.robots.point import PointRobot
from ros_mbmrl.simulation.points import POINTS, make_points

INNER = InnerConfig(episodes=5, horizon=30, rate=0.3, discounts=Discounts(1.0, 1.0))
CORNERS, SAMPLES = POINTS["point_corners"], 30
TASKS = Tasks(
    PointRobot("point_corners", CORNERS.reach), CORNERS.draw, partial(make_points, "point_corners")
)


def sample(k: int) -> Sampled:
    """One iteration of an untrained policy, whose episodes find a corner now and then."""
    policy = GaussianPolicy(MLP((2, 16, 2)), torch.zeros(2), torch.ones(2))
    parameters = policy.init(torch.Generator().manual_seed(0), log_std=-0.5)
    situations, seeds = TASKS.drawn(np.random.default_rng((0, k)), 12)
    make = repeated(TASKS.make, situations, INNER.episodes)
    adapted = adapt(policy, parameters, INNER, make, seeds)
    after = practise(policy, adapted.parameters, INNER, make, seeds, phase=1)
    experience, _ = experience_of(policy, after, INNER.discounts)
    return Sampled(policy, parameters, adapted, experience, after.returns.mean(-1))


def wider(sampled: Sampled, estimator: str) -> float:
    """How much the meta-gradient makes actions before the update more random."""
    theta = {name: value.clone().requires_grad_() for name, value in sampled.parameters.items()}
    gain = meta_objective(sampled, theta, INNER.rate, estimator)
    return float(torch.autograd.grad(gain, theta["log_std"])[0].sum())


@pytest.fixture(scope="module")
def slopes() -> dict[str, Tensor]:
    """Slopes of the credit before the update, (SAMPLES,) each: less J_post, which all share."""
    samples = [sample(k) for k in range(SAMPLES)]
    found = {
        name: torch.tensor([wider(each, name) for each in samples])
        for name in ("lvc", "dice", "e_maml", "maml")
    }
    post = found.pop("maml")  # eq. 10 alone
    return {name: each - post for name, each in found.items()} | {"post": post}


def signal(slope: Tensor) -> float:
    """The mean over the deviation."""
    return float(slope.mean() / slope.std())


def test_formulation_one_is_told_to_explore_before_its_update(slopes: dict[str, Tensor]) -> None:
    assert slopes["lvc"].mean() > 0 and (slopes["lvc"] > 0).float().mean() > 0.9
    assert slopes["dice"].mean() > 0


def test_formulation_two_hears_less_of_it(slopes: dict[str, Tensor]) -> None:
    assert signal(slopes["lvc"]) > 3 * abs(signal(slopes["e_maml"]))
    assert signal(slopes["dice"]) > signal(slopes["e_maml"])


def test_without_credit_nobody_is_told(slopes: dict[str, Tensor]) -> None:
    """What the first MAML followed does not say to explore; if anything, it says the opposite."""
    assert signal(slopes["post"]) < 0.25 * signal(slopes["lvc"])
