"""Gaps between true return and model return, by total variation distances.

Hiraoka et al., *Meta-Model-Based Meta-Policy Optimization* (M3PO), theorems 1 to 3; Janner et al.
2019, *When to Trust Your Model*, theorems 4.1 and 4.2; Wang and van Hoof, *Model-based Meta
Reinforcement Learning using Graph Structured Surrogate Models* (GSSM), lemma 1 and theorem 1.

Where a paper prints a closed form that its own series does not have, the series decides.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """A decision problem.

    Args:
        discount: gamma, from 0 to less than 1.
        reward: r_max, a bound on the absolute value of a step's expected reward.
    """

    discount: float
    reward: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.discount < 1:
            raise ValueError(f"discount: expected 0 <= discount < 1, got {self.discount}")
        if not 0 < self.reward < float("inf"):
            raise ValueError(f"reward: expected a bound above 0, got {self.reward}")


@dataclass(frozen=True)
class Divergences:
    """Total variation distances, each from 0 to 1.

    Args:
        model: epsilon_m, the largest over time of the expected distance between model and system,
            under the policy that gathered the data (M3PO, definition 1).
        policy: epsilon_pi, the largest over states of the distance between the policy and the one
            that gathered the data (definition 2).
    """

    model: float
    policy: float

    def __post_init__(self) -> None:
        for name in ("model", "policy"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: expected 0 to 1, got {getattr(self, name)}")


def trivial_gap(problem: Problem) -> float:
    """Return 2 r_max / (1 - gamma), the most that any two returns differ by.

    A bound that is not below it is vacuous: it says nothing.
    """
    return 2 * problem.reward / (1 - problem.discount)


def check_horizon(k: int, longest: int) -> int:
    """Return the length k of a roll-out, if real data last as long.

    Args:
        k: steps of a branch, or of a value expansion.
        longest: steps of the longest episode of real data.

    Raises:
        ValueError: k below 1, or beyond the data, where nothing tells the model's error.
    """
    _check_steps(k)
    if k > longest:
        raise ValueError(f"horizon: expected up to the data's longest episode, {longest}, got {k}")
    return k


def full_rollout_gap(problem: Problem, errors: Divergences) -> float:
    """Return C of M3PO, theorem 1: roll-outs in the model from the first state to the end.

    It is theorem 4.1 of Janner et al., 2 r_max sum_t gamma^t (t (e_m + 2 e_pi) + 2 e_pi). M3PO's
    table 1 has it; its equations 2 and 23 print epsilon_m in the last term
    (`printed_full_gap`). The table is right: a model cannot be wrong about a state that it has not
    predicted yet, and at t = 0 the policies alone differ.
    """
    g = problem.discount
    growing = g / (1 - g) ** 2 * (errors.model + 2 * errors.policy)
    return 2 * problem.reward * (growing + 2 * errors.policy / (1 - g))


def printed_full_gap(problem: Problem, errors: Divergences) -> float:
    """Return C as equations 2 and 23 of M3PO print it; no bound where policies differ most.

    2 r_max (gamma (e_m + 2 e_pi) / (1 - gamma)^2 + 2 e_m / (1 - gamma)): with a model that is right
    and another policy it promises less than `policy_gap`, which is attained.
    """
    g = problem.discount
    growing = g / (1 - g) ** 2 * (errors.model + 2 * errors.policy)
    return 2 * problem.reward * (growing + 2 * errors.model / (1 - g))


def branched_rollout_gap(problem: Problem, errors: Divergences, k: int) -> float:
    """Return C of M3PO, theorem 2 (theorem 3 for a plain MDP): k-step roll-outs that branch off.

    Equation 20's series: r_max (2 e_pi + sum_{t>0} gamma^t (2 t e_pi + (min(t, k) + 1) e)), where
    e = e_pi + e_m. Equations 11, 20 and 24 print (1 + gamma^2) where the sum of the first two parts
    gives (1 - gamma + gamma^2): theirs is larger, and so a bound as well (`printed_branched_gap`).

    Raises:
        ValueError: k below 1: without a step nothing would be imagined.
    """
    g = problem.discount
    return _branched(problem, errors, k, 1 - g + g**2)


def printed_branched_gap(problem: Problem, errors: Divergences, k: int) -> float:
    """Return C of M3PO, theorem 2, as table 1 and figure 4 have it; see `branched_rollout_gap`."""
    return _branched(problem, errors, k, 1 + problem.discount**2)


def _branched(problem: Problem, errors: Divergences, k: int, first: float) -> float:
    _check_steps(k)
    g, both = problem.discount, errors.policy + errors.model
    early = (g - k * g**k + (k - 1) * g ** (k + 1)) / (1 - g) ** 2 + (g**k - g) / (g - 1)
    late = g**k / (1 - g) * (k + 1)
    return problem.reward * (2 * errors.policy * first / (1 - g) ** 2 + both * (early + late))


def single_branch_gap(problem: Problem, errors: Divergences, k: int) -> float:
    """Return C of theorem 4.2 of Janner et al.: as if a step were of one roll-out's end alone.

    2 r_max (sum_t gamma^t (k (e_m + 2 e_pi) + 2 e_pi) + sum_{t>=k} gamma^t (t - k + 1) e_pi).
    M3PO counts the steps of all roll-outs that are kept, and so its theorem replaces this one.

    Raises:
        ValueError: k below 1.
    """
    _check_steps(k)
    g, policy = problem.discount, errors.policy
    before = g ** (k + 1) / (1 - g) ** 2 * policy + g**k / (1 - g) * policy
    return 2 * problem.reward * (before + (2 * policy + k * (errors.model + 2 * policy)) / (1 - g))


def any_policy_gap(problem: Problem, model: float) -> float:
    """Return the bound of GSSM, lemma 1 (eq. 2), on |J of the model - J of the system|.

    2 r_max sum_t gamma^t (t + 1) e_m; the states of step t are apart by the t steps before.

    Args:
        model: total variation distance of the next state, in expectation over systems; the proof
            needs it at every state and action (its equation 17 has a maximum over states), where
            the lemma's text has it over a distribution of them.
    """
    errors = Divergences(model, 0.0)
    return 2 * errors.model * problem.reward / (1 - problem.discount) ** 2


def regret(problem: Problem, model: float) -> float:
    """Return the bound of GSSM, theorem 1 (eq. 3): what the model's best policy loses at most.

    Once lemma 1 for the best policy, and once for the model's. model: see `any_policy_gap`.
    """
    return 2 * any_policy_gap(problem, model)


def policy_gap(problem: Problem, policy: float) -> float:
    """Return a bound on |J(pi) - J(pi')| in one system.

    r_max sum_t gamma^t 2 (t + 1) e_pi: the states of step t are apart by the t policies' steps
    before. It closes theorem 1 of chapter 7 of the thesis, whose proof (D.1.3) has only one power
    of 1 - gamma; a chain that is left by chance at every step is a counterexample to that.
    """
    errors = Divergences(0.0, policy)
    return 2 * problem.reward * errors.policy / (1 - problem.discount) ** 2


def _check_steps(k: int) -> None:
    if k < 1:
        raise ValueError(f"k: expected a roll-out of 1 step or more, got {k}")
