"""Error of a policy gradient through H steps of a learned model and a learned critic.

Thesis, chapter 7 (MAAC), lemmas 1 and 2 and theorem 1, with the proofs of D.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from ros_mbmrl.theory.series import geometric
from ros_mbmrl.theory.total_variation import Problem, policy_gap


@dataclass(frozen=True)
class Smoothness:
    """Constants of lemma 1.

    Args:
        discount: gamma, from 0 to less than 1.
        growth: K, by which the derivative of the state by the policy's parameters can grow in a
            step; 1 at least ("without loss of generality").
        loop: L = L_f + L_f L_pi, Lipschitz constant of the closed loop.
        reward: L_r, of the reward.
        critic: L_Q, of the critic.
    """

    discount: float
    growth: float
    loop: float
    reward: float
    critic: float

    def __post_init__(self) -> None:
        if not 0 <= self.discount < 1:
            raise ValueError(f"discount: expected 0 <= discount < 1, got {self.discount}")
        if not self.growth >= 1:
            raise ValueError(f"growth: expected 1 or more, got {self.growth}")
        if min(self.loop, self.reward, self.critic) < 0:
            raise ValueError("loop, reward, critic: expected constants of 0 or more")


def model_weight(constants: Smoothness, horizon: int) -> float:
    """Return c1(H) of lemma 1, the weight of the model's error.

    The model's part, sum_{t<H} gamma^t L_r (L^{t+1} - 1) / (L - 1) K^t, as the proof has it before
    its closed form (which loses L_r, and multiplies the second sum by L), and the critic's part at
    the end, L_Q (L^H - 1) / (L - 1) (gamma K)^H.

    Raises:
        ValueError: a horizon below 0.
    """
    _check(horizon)
    g, k = constants.discount * constants.growth, constants.loop
    rewards = sum(g**t * geometric(k, t + 1) for t in range(horizon))
    return constants.reward * rewards + constants.critic * geometric(k, horizon) * g**horizon


def critic_weight(constants: Smoothness, horizon: int) -> float:
    """Return c2(H) of lemma 1, the weight of the critic's error: (gamma K)^H."""
    _check(horizon)
    return float((constants.discount * constants.growth) ** horizon)


def gradient_error(constants: Smoothness, horizon: int, model: float, critic: float) -> float:
    """Return the bound of lemma 1 on the error of the policy gradient.

    Args:
        model, critic: epsilon_f and epsilon_Q, largest errors of their derivatives.
    """
    if min(model, critic) < 0:
        raise ValueError("model, critic: expected errors of 0 or more")
    return model * model_weight(constants, horizon) + critic * critic_weight(constants, horizon)


def step_divergence(error: float, rate: float, curvature: float) -> float:
    """Return the bound of lemma 2 on the total variation distance of two policies after a step.

    Args:
        error: of the gradient, `gradient_error`.
        rate: alpha, of the step; the lemma holds for small ones.
        curvature: c~ of KL = c~ |theta - theta'|^2; c3 = sqrt(c~ / 2) by Pinsker.
    """
    if min(error, rate, curvature) < 0:
        raise ValueError("error, rate, curvature: expected 0 or more")
    return float(min(1.0, rate * (curvature / 2) ** 0.5 * error))


def improvement_gap(problem: Problem, divergence: float) -> float:
    """Return the bound of theorem 1: what a step on the wrong gradient loses to the right one.

    The theorem prints alpha twice, and its proof one power of 1 - gamma: see `policy_gap`.
    divergence: `step_divergence`.
    """
    return policy_gap(problem, divergence)


def _check(horizon: int) -> None:
    if horizon < 0:
        raise ValueError(f"horizon: expected 0 or more, got {horizon}")
