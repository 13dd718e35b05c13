"""Closed forms beside their series, and bounds beside a linear system."""

from __future__ import annotations

import itertools

import pytest

from ros_mbmrl.theory.wasserstein import (
    Distances,
    Lipschitz,
    branched_rollout_gap,
    full_rollout_gap,
    return_gap,
)

LONG = 2000
CASES = [
    (Lipschitz(discount, model, policy, 2.0), Distances(*errors))
    for discount, (model, policy), errors in itertools.product(
        (0.0, 0.5, 0.95),
        ((0.0, 1.0), (0.5, 1.2), (0.9, 1.0)),
        ((0.0, 0.0), (0.3, 0.0), (0.0, 0.2), (0.3, 0.2)),
    )
]


def test_lemma_5_and_theorem_1_are_the_sums_of_their_series() -> None:
    for c, e in CASES:

        def lemma(model: float, policy: float, c: Lipschitz = c) -> float:
            apart, loop = model + c.model * policy, c.closed_loop
            return c.reward * sum(
                c.discount**t * (c.policy * apart * (1 - loop**t) / (1 - loop) + policy)
                for t in range(LONG)
            )

        assert return_gap(c, e) == pytest.approx(lemma(e.model, e.policy), rel=1e-10, abs=1e-10)
        both = lemma(0.0, e.policy) + lemma(e.model, e.policy)
        assert full_rollout_gap(c, e) == pytest.approx(both, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("k", [1, 2, 7])
def test_theorem_2_is_the_sum_of_lemma_6(k: int) -> None:
    for c, e in CASES:
        loop = c.closed_loop

        def states(t: int, loop: float = loop, e: Distances = e, k: int = k) -> float:
            """Distance of the states of step t that k steps with the model leave."""
            steps = min(t, k)
            grown: float = loop ** (t - steps) * (1 - loop**steps) / (1 - loop) * e.model
            return grown

        models = sum(c.discount**t * c.policy * states(t) for t in range(LONG))
        policies = sum(
            c.discount**t
            * (c.policy * c.model * e.policy * (1 - loop ** (t - k)) / (1 - loop) + e.policy)
            for t in range(k, LONG)
        )
        expected = c.reward * (models + policies)
        assert branched_rollout_gap(c, e, k) == pytest.approx(expected, rel=1e-10, abs=1e-10)


def gap_of_a_linear_system(discount: float, error: float, gain: float) -> float:
    """Return |J - J'| of s' = .5 s + .5 a and of the same with `error` added; a = gain s, r = s."""
    loop, state, total = 0.5 + 0.5 * gain, 0.0, 0.0
    for t in range(LONG):
        total += discount**t * state
        state = loop * state + error
    return total


def test_the_bound_holds_for_a_linear_system() -> None:
    """K_m = .5, and s -> (s, .1 s) has 1.1: distances of (s, a) are sums of both parts'."""
    constants, error = Lipschitz(0.9, 0.5, 1.1, 1.0), 0.2
    gap = gap_of_a_linear_system(0.9, error, 0.1)
    assert gap <= return_gap(constants, Distances(error, 0.0))


def test_the_policy_s_own_constant_would_not_do() -> None:
    """K_pi = .1, as the theorem's words have it, promises less than is lost."""
    loop, discount, error = 0.1 * 0.5, 0.9, 0.2
    promised = discount * 0.1 * error / ((1 - discount) * (1 - discount * loop))
    assert gap_of_a_linear_system(discount, error, 0.1) > promised
    with pytest.raises(ValueError, match="policy of 1 or more"):
        Lipschitz(discount, 0.5, 0.1, 1.0)


def test_long_branches_pay_where_the_model_is_the_better_of_the_two() -> None:
    constants = Lipschitz(0.95, 0.8, 1.0, 1.0)
    for errors, longer_is_better in ((Distances(0.1, 0.2), True), (Distances(0.9, 0.2), False)):
        gaps = [branched_rollout_gap(constants, errors, k) for k in (1, 2, 5, 20, 60)]
        assert gaps == sorted(gaps, reverse=longer_is_better)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="policy x model: expected less than 1, got 1.2"):
        Lipschitz(0.9, 1.0, 1.2, 1.0)
    with pytest.raises(ValueError, match="0 <= discount < 1"):
        Lipschitz(1.0, 0.5, 1.0, 1.0)
    with pytest.raises(ValueError, match="expected distances"):
        Distances(-0.1, 0.0)
    with pytest.raises(ValueError, match="k: expected a roll-out of 1 step or more"):
        branched_rollout_gap(Lipschitz(0.9, 0.5, 1.0, 1.0), Distances(0.1, 0.1), 0)
