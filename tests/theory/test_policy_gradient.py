"""The bound on a policy gradient's error, beside its recursion and beside a linear system."""

from __future__ import annotations

import pytest

from ros_mbmrl.theory.policy_gradient import (
    Smoothness,
    critic_weight,
    gradient_error,
    improvement_gap,
    model_weight,
    step_divergence,
)
from ros_mbmrl.theory.total_variation import Problem

CONSTANTS = [
    Smoothness(discount, growth, loop, 0.7, 1.3)
    for discount in (0.0, 0.9, 0.99)
    for growth in (1.0, 1.4)
    for loop in (0.5, 1.0, 1.8)
]


@pytest.mark.parametrize("horizon", [0, 1, 2, 10])
def test_the_weights_are_those_of_the_recursion(horizon: int) -> None:
    for c in CONSTANTS:
        total, apart = 0.0, 0.0
        for t in range(horizon):
            apart = 1 + c.loop * apart  # (L^{t+1} - 1) / (L - 1)
            total += c.discount**t * c.reward * apart * c.growth**t
        total += c.critic * apart * (c.discount * c.growth) ** horizon
        assert model_weight(c, horizon) == pytest.approx(total, rel=1e-10)
        assert critic_weight(c, horizon) == pytest.approx((c.discount * c.growth) ** horizon)


def test_without_a_model_only_the_critic_counts() -> None:
    assert gradient_error(CONSTANTS[-1], 0, model=0.3, critic=0.2) == pytest.approx(0.2)


def test_an_interior_horizon_is_best_where_both_are_wrong() -> None:
    """A contraction, a good model and a poor critic: as figure 20 has it."""
    constants = Smoothness(0.9, 1.0, 0.9, 1.0, 1.0)
    errors = [gradient_error(constants, h, model=0.05, critic=1.0) for h in range(40)]
    assert 0 < errors.index(min(errors)) < 39


def gradients(horizon: int, a: float, theta: float) -> float:
    """Return d/d theta of sum_{t<=H} .9^t s_t for s' = a s + theta from 0; the policy is theta."""
    total, slope = 0.0, 0.0
    for t in range(horizon + 1):
        total += 0.9**t * slope
        slope = a * slope + 1
    return total


@pytest.mark.parametrize("horizon", [1, 3, 8])
def test_the_bound_holds_for_a_linear_system(horizon: int) -> None:
    """Model s' = .6 s + theta in place of .5 s + theta: its derivative is off by .1."""
    wrong = abs(gradients(horizon, 0.6, 0.2) - gradients(horizon, 0.5, 0.2))
    # d s_t / d theta stays below 2.5 = K^t for K of 2.5; the last reward is the critic of slope 1.
    constants = Smoothness(0.9, 2.5, 0.6, 1.0, 1.0)
    assert wrong <= gradient_error(constants, horizon, model=0.1, critic=0.0)


def test_a_step_on_a_wrong_gradient_loses_no_more_than_policies_that_far_apart() -> None:
    apart = step_divergence(0.5, rate=0.1, curvature=2.0)
    assert apart == pytest.approx(0.05)
    assert improvement_gap(Problem(0.9, 2.0), apart) == pytest.approx(2 * 2.0 * 0.05 / 0.01)
    assert step_divergence(1e6, 1.0, 2.0) == 1.0


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="growth: expected 1 or more"):
        Smoothness(0.9, 0.5, 1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="horizon: expected 0 or more"):
        model_weight(CONSTANTS[0], -1)
    with pytest.raises(ValueError, match="errors of 0 or more"):
        gradient_error(CONSTANTS[0], 1, -0.1, 0.0)
