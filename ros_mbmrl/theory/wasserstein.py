"""Gaps between true return and model return, by Wasserstein distances.

*Model Embedding Model-Based Reinforcement Learning* (MEMB), theorems 1 and 2 with appendix D. In
contrast to total variation, they say something of systems without noise as well.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lipschitz:
    """Lipschitz constants of a problem.

    Args:
        discount: gamma, from 0 to less than 1.
        model: K_m, of the next state in (s, a), for system and model.
        policy: K_pi, of s -> (s, pi(s)). Lemmas 2 and 4 compose functions of (s, a) with it, so it
            is that of the pair, 1 at least, and not that of s -> pi(s) alone.
        reward: K_r, of the reward in (s, a).
    """

    discount: float
    model: float
    policy: float
    reward: float

    def __post_init__(self) -> None:
        if not 0 <= self.discount < 1:
            raise ValueError(f"discount: expected 0 <= discount < 1, got {self.discount}")
        if not (self.model >= 0 and self.policy >= 1 and self.reward >= 0):
            raise ValueError("expected model and reward of 0 or more, and policy of 1 or more")
        if not self.closed_loop < 1:
            raise ValueError(f"policy x model: expected less than 1, got {self.closed_loop:g}")

    @property
    def closed_loop(self) -> float:
        """Return K = K_pi K_m, by which two states differ less after a step."""
        return self.policy * self.model


@dataclass(frozen=True)
class Distances:
    """Wasserstein distances, in the units of states and actions.

    Args:
        model: epsilon_m, of the next state between model and system, at every (s, a).
        policy: epsilon_pi, between the policy and the one that gathered the data, at every s.
    """

    model: float
    policy: float

    def __post_init__(self) -> None:
        if not (self.model >= 0 and self.policy >= 0):
            raise ValueError("model, policy: expected distances of 0 or more")


def return_gap(constants: Lipschitz, errors: Distances) -> float:
    """Return the bound of lemma 5 on |J1 - J2| of two policies in two systems.

    K_r sum_t gamma^t (K_pi D (1 - K^t) / (1 - K) + e_pi), with D = e_m + K_m e_pi.
    """
    g, loop = constants.discount, constants.closed_loop
    apart = errors.model + constants.model * errors.policy
    states = g * constants.policy * apart / ((1 - g) * (1 - g * loop))
    return constants.reward * (states + errors.policy / (1 - g))


def full_rollout_gap(constants: Lipschitz, errors: Distances) -> float:
    """Return the bound of theorem 1: roll-outs in the model from the first state to the end.

    Lemma 5 twice: with the policies apart, and with policies and models apart. The theorem prints
    K where the proof has K_pi in the term of the model's error; the proof is right.
    """
    policies = Distances(0.0, errors.policy)
    return return_gap(constants, policies) + return_gap(constants, errors)


def branched_rollout_gap(constants: Lipschitz, errors: Distances, k: int) -> float:
    """Return the bound of theorem 2: k-step roll-outs that branch off.

    Lemma 6 twice: up to the branch the policies differ, after it the models. Its sums shrink to
    gamma^k times lemma 5 for the policies and 1 - gamma^k times lemma 5 for the models, so the
    best k is 1 where the model is the worse of the two, and else as long as can be; there is none
    in between, as the text expects. The theorem prints 1 - gamma where equation 23 has
    1 - gamma K in the last term of the model's error, which is larger.

    Raises:
        ValueError: k below 1.
    """
    if k < 1:
        raise ValueError(f"k: expected a roll-out of 1 step or more, got {k}")
    before = float(constants.discount**k)
    policies = return_gap(constants, Distances(0.0, errors.policy))
    models = return_gap(constants, Distances(errors.model, 0.0))
    return before * policies + (1 - before) * models
