"""Closed forms beside their series, and bounds beside decision problems that are solved exactly."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from ros_mbmrl.theory.total_variation import (
    Divergences,
    Problem,
    any_policy_gap,
    branched_rollout_gap,
    check_horizon,
    full_rollout_gap,
    policy_gap,
    printed_branched_gap,
    printed_full_gap,
    regret,
    single_branch_gap,
    trivial_gap,
)

Array = NDArray[np.float64]
DISCOUNTS = (0.0, 0.3, 0.85, 0.9, 0.95)
ERRORS = tuple(itertools.product((0.0, 0.1, 0.7, 1.0), (0.0, 0.2, 1.0)))
STEPS = (1, 2, 5, 50)
LONG = 2000  # steps of a series: .95^2000 is 1e-45


def series(discount: float, term: Callable[[int], float]) -> float:
    """Return sum_t gamma^t term(t)."""
    return sum(discount**t * term(t) for t in range(LONG))


def grid() -> Iterator[tuple[Problem, Divergences, int]]:
    for discount, (model, policy), k in itertools.product(DISCOUNTS, ERRORS, STEPS):
        yield Problem(discount, 1.5), Divergences(model, policy), k


def sums_of_series(problem: Problem, e: Divergences, k: int) -> tuple[float, ...]:
    """Return the gaps as sums.

    Of full roll-outs, branches, single branches, policies, models, best policies, and any two.
    """

    def branched(t: int) -> float:  # equations 13, 16 and 19 of M3PO
        if t == 0:
            return 2 * e.policy
        return 2 * t * e.policy + (min(t, k) + 1) * (e.model + e.policy)

    def single(t: int) -> float:
        before = (t - k + 1) * e.policy if t >= k else 0.0
        return 2 * (k * (e.model + 2 * e.policy) + 2 * e.policy + before)

    terms: tuple[Callable[[int], float], ...] = (
        lambda t: 2 * (t * (e.model + 2 * e.policy) + 2 * e.policy),
        branched,
        single,
        lambda t: 2 * (t + 1) * e.policy,
        lambda t: 2 * (t + 1) * e.model,
        lambda t: 4 * (t + 1) * e.model,
        lambda t: 2.0,
    )
    return tuple(problem.reward * series(problem.discount, term) for term in terms)


def test_closed_forms_are_the_sums_of_their_series() -> None:
    for problem, e, k in grid():
        closed = (
            full_rollout_gap(problem, e),
            branched_rollout_gap(problem, e, k),
            single_branch_gap(problem, e, k),
            policy_gap(problem, e.policy),
            any_policy_gap(problem, e.model),
            regret(problem, e.model),
            trivial_gap(problem),
        )
        assert closed == pytest.approx(sums_of_series(problem, e, k), rel=1e-10, abs=1e-10)


def test_what_m3po_prints_is_larger_than_its_series() -> None:
    for problem, e, k in grid():
        g = problem.discount
        slack = 2 * problem.reward * e.policy * g / (1 - g) ** 2
        printed, exact = printed_branched_gap(problem, e, k), branched_rollout_gap(problem, e, k)
        assert printed - exact == pytest.approx(slack, abs=1e-9)


def test_equation_23_is_below_what_other_policies_lose() -> None:
    """At gamma = 0 two policies earn 2 r_max e_pi apart: eq. 23 says 0, table 1 twice of it."""
    problem, errors = Problem(0.0), Divergences(0.0, 0.5)
    assert printed_full_gap(problem, errors) == 0 < 1.0 == policy_gap(problem, errors.policy)
    assert full_rollout_gap(problem, errors) == 2.0
    for each, e, _ in grid():  # at equal errors the two agree
        same = Divergences(e.model, e.model)
        assert printed_full_gap(each, same) == pytest.approx(full_rollout_gap(each, same))


def test_a_horizon_beyond_the_data_is_refused() -> None:
    assert check_horizon(5, 5) == 5
    with pytest.raises(ValueError, match="expected up to the data's longest episode, 5, got 6"):
        check_horizon(6, 5)
    with pytest.raises(ValueError, match="a roll-out of 1 step or more, got 0"):
        check_horizon(0, 5)


def test_corollary_1_a_models_error_harms_a_branch_of_one_step_less() -> None:
    for problem, e, _ in grid():
        alone = Divergences(e.model, 0.0)
        g, r = problem.discount, problem.reward
        full, branched = full_rollout_gap(problem, alone), branched_rollout_gap(problem, alone, 1)
        assert full == pytest.approx(2 * r * g * e.model / (1 - g) ** 2)  # eq. 25
        assert branched == pytest.approx(2 * r * g * e.model / (1 - g))  # eq. 26
        assert branched <= full


@pytest.mark.parametrize("discount", [0.85, 0.9, 0.95])
@pytest.mark.parametrize("gap", [printed_branched_gap, branched_rollout_gap])
def test_figure_4_a_branch_of_one_step_is_better_and_long_ones_are_not(
    discount: float, gap: Callable[[Problem, Divergences, int], float]
) -> None:
    problem = Problem(discount)
    for model in np.linspace(0, 1, 21):
        for policy in (0.0, 1.0 - model):  # figures 4 (a) and (b)
            errors = Divergences(model, policy)
            full = full_rollout_gap(problem, errors)
            gaps = np.array([gap(problem, errors, k) - full for k in range(1, 51)])
            if model + policy > 0:
                assert gaps[0] < 0
            assert (np.diff(gaps) >= -1e-9).all()  # "tends to monotonically increase" with k
            if policy == 0 and model > 0:
                assert gaps[-1] < 0


@dataclass(frozen=True)
class Tabular:
    """A system, a model, a policy and the policy that gathered the data, by chance.

    system, model (S, A, S). rewards (S, A). policy, gathering (S, A). start (S,).
    """

    system: Array
    model: Array
    rewards: Array
    policy: Array
    gathering: Array
    start: Array

    @staticmethod
    def drawn(rng: np.random.Generator, model: float, policy: float) -> Tabular:
        """Draw one; model, policy: shares of others that are mixed in."""
        states, actions = 4, 3

        def chance(*shape: int) -> Array:
            return rng.dirichlet(np.full(shape[-1], 0.4), shape[:-1])

        system, gathering = chance(states, actions, states), chance(states, actions)
        return Tabular(
            system,
            (1 - model) * system + model * chance(states, actions, states),
            rng.uniform(-1, 1, (states, actions)),
            (1 - policy) * gathering + policy * chance(states, actions),
            gathering,
            chance(states),
        )

    @property
    def errors(self) -> Divergences:
        """Return the largest distances over states and actions."""
        model = np.abs(self.system - self.model).sum(-1).max() / 2
        policy = np.abs(self.policy - self.gathering).sum(-1).max() / 2
        return Divergences(float(model), float(policy))

    def after(self, states: Array, system: Array, policy: Array) -> Array:
        """Return the distribution of the next state (S,)."""
        return np.asarray(np.einsum("s,sa,sat->t", states, policy, system))

    def value(self, discount: float, system: Array, policy: Array) -> float:
        """Return the return from the start."""
        states, total = self.start, 0.0
        for t in range(LONG // 4):
            total += discount**t * np.einsum("s,sa,sa->", states, policy, self.rewards)
            states = self.after(states, system, policy)
        return float(total)

    def branched(self, discount: float, k: int) -> float:
        """Return the return of all k-step roll-outs that branch off the gathered data, as eq. 5."""
        real, total, policy = [self.start], 0.0, self.policy
        for _ in range(LONG // 4):
            real.append(self.after(real[-1], self.system, self.gathering))
        for t in range(LONG // 4):
            lengths = range(1, min(t, k) + 1)
            ends = []
            for length in lengths:
                states = real[t - length]
                for _ in range(length):
                    states = self.after(states, self.model, policy)
                ends.append(np.einsum("s,sa->sa", states, policy))
            # At t = 0 nothing is imagined yet: what the data hold.
            mixed = np.mean(ends, 0) if ends else np.einsum("s,sa->sa", real[0], self.gathering)
            total += discount**t * (mixed * self.rewards).sum()
        return float(total)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("model", "policy"), [(0.2, 0.0), (0.0, 0.2), (0.3, 0.3), (1.0, 1.0)])
def test_bounds_hold_where_everything_is_known(seed: int, model: float, policy: float) -> None:
    case, problem = Tabular.drawn(np.random.default_rng(seed), model, policy), Problem(0.8)
    true = case.value(0.8, case.system, case.policy)
    imagined = case.value(0.8, case.model, case.policy)
    assert abs(true - imagined) <= full_rollout_gap(problem, case.errors)
    assert abs(true - imagined) <= any_policy_gap(problem, case.errors.model) + 1e-9
    gathered = case.value(0.8, case.system, case.gathering)
    assert abs(true - gathered) <= policy_gap(problem, case.errors.policy) + 1e-9
    for k in (1, 3):
        assert abs(true - case.branched(0.8, k)) <= branched_rollout_gap(problem, case.errors, k)


def best(case: Tabular, system: Array, discount: float) -> Array:
    """Return the best deterministic policy (S, A), by trying all of them."""
    count, actions = case.rewards.shape
    every = (
        np.eye(actions)[list(each)] for each in itertools.product(range(actions), repeat=count)
    )
    return max(every, key=lambda policy: case.value(discount, system, policy))


@pytest.mark.parametrize("seed", range(2))
def test_the_regret_of_a_models_best_policy_is_bounded(seed: int) -> None:
    case = Tabular.drawn(np.random.default_rng(seed), 0.4, 0.0)
    reached = case.value(0.5, case.system, best(case, case.model, 0.5))
    possible = case.value(0.5, case.system, best(case, case.system, 0.5))
    assert 0 <= possible - reached + 1e-12 <= regret(Problem(0.5), case.errors.model)


def test_one_power_of_the_horizon_is_not_enough() -> None:
    """A chain that is left for good, with chance e at every step: thesis, D.1.3, is too small."""
    discount, e = 0.95, 0.01
    stays = sum(discount**t * (2 * (1 - e) ** t - 1) for t in range(LONG))  # +1 in it, -1 out of it
    gap = 1 / (1 - discount) - stays
    assert 2 * e / (1 - discount) < gap <= policy_gap(Problem(discount), e)


@pytest.mark.parametrize("discount", [-0.1, 1.0, float("nan")])
def test_a_discount_that_sums_to_no_end_is_refused(discount: float) -> None:
    with pytest.raises(ValueError, match="0 <= discount < 1"):
        Problem(discount)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="reward: expected a bound above 0"):
        Problem(0.9, 0.0)
    with pytest.raises(ValueError, match="model: expected 0 to 1, got 1.2"):
        Divergences(1.2, 0.0)
    for gap in (branched_rollout_gap, printed_branched_gap, single_branch_gap):
        with pytest.raises(ValueError, match="k: expected a roll-out of 1 step or more, got 0"):
            gap(Problem(0.9), Divergences(0.1, 0.1), 0)
