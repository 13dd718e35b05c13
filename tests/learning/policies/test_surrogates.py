"""The surrogates of the inner objective on a process so small that expectations are exact."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ros_mbmrl.learning.policies.surrogates import (
    ESTIMATORS,
    clipped_surrogate,
    dice,
    low_variance_curvature,
    pre_update_credit,
    score_function,
    step_rewards,
)
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.inner_step import Experience, Objective, inner_step, surrogate

H, RATE = 3, 0.3
START = torch.tensor([[0.2, -0.4], [0.5, 0.1]]).double()  # logits, of an action in a state
MOVES = torch.tensor([[[0.9, 0.1], [0.3, 0.7]], [[0.6, 0.4], [0.2, 0.8]]]).double()  # (s, a, s')
REWARDS = torch.tensor([[1.0, -0.5], [0.3, 2.0]]).double()


class Tabular:
    """pi(a | s): a softmax over the logits of a state."""

    def log_prob(self, parameters: Parameters, observations: Tensor, actions: Tensor) -> Tensor:
        chances = parameters["logits"].log_softmax(-1).flatten(-2)  # (N, S A)
        return chances.gather(-1, 2 * observations[..., 0] + actions[..., 0])


POLICY = Tabular()


def for_each(theta: Tensor, count: int) -> Parameters:
    return {"logits": theta.expand(count, *theta.shape)}


def every_episode() -> tuple[Tensor, Tensor]:
    """States and actions (32, H) of all episodes that there are from state 0."""
    all_of = [[0], *[[0, 1]] * (2 * H - 1)]  # s0, then s1, s2, a0, a1, a2
    rows = torch.tensor(list(itertools.product(*all_of)))
    return rows[:, :H], rows[:, H:]


STATES, ACTIONS = every_episode()
PAID = REWARDS[STATES, ACTIONS]
TO_COME = PAID.flip(-1).cumsum(-1).flip(-1)


def chances(theta: Tensor) -> Tensor:
    """p(tau | theta) of every episode, (32,)."""
    chosen = theta.log_softmax(-1)[STATES, ACTIONS].sum(-1).exp()
    return chosen * MOVES[STATES[:, :-1], ACTIONS[:, :-1], STATES[:, 1:]].prod(-1)


def every_experience(theta: Tensor = START) -> Experience:
    """Each episode as a task of its own."""
    seen, acted = STATES[..., None], ACTIONS[..., None]
    with torch.no_grad():
        log_probs = POLICY.log_prob(for_each(theta, 32), seen, acted)
    return Experience(seen, acted, log_probs, TO_COME, H)


def flat(theta: Tensor) -> Tensor:
    return theta.reshape(2, 2)


def expected(objective: Objective) -> Tensor:
    """E[Hessian of the surrogate] over all episodes, of a sum over steps: (4, 4)."""
    experience, weights = every_experience(), chances(START)

    def mean(theta: Tensor) -> Tensor:
        return H * weights @ objective(POLICY, for_each(flat(theta), 32), experience)

    return torch.autograd.functional.hessian(mean, START.flatten())  # type: ignore[no-untyped-call]


def decomposition() -> tuple[Tensor, Tensor, Tensor]:
    """H1, H2 and H12 as eq. 55 to 57 have them, with Q by dynamic programming."""
    jacobian, hessian = torch.autograd.functional.jacobian, torch.autograd.functional.hessian
    slopes = jacobian(lambda x: flat(x).log_softmax(-1), START.flatten())  # (S, A, 4)
    bends = [
        [
            hessian(lambda x, s=s, a=a: flat(x).log_softmax(-1)[s, a], START.flatten())
            for a in (0, 1)
        ]
        for s in (0, 1)
    ]

    def values(x: Tensor) -> Tensor:
        """Q_t(s, a), (H, S, A)."""
        later, found = torch.zeros(2).double(), []
        for _ in range(H):
            found.append(REWARDS + MOVES @ later)
            later = (flat(x).softmax(-1) * found[-1]).sum(-1)
        return torch.stack(found[::-1])

    rising = jacobian(values, START.flatten())  # (H, S, A, 4)
    h1 = h2 = h12 = torch.zeros(4, 4).double()
    for chance, states, actions, to_come in zip(
        chances(START), STATES.tolist(), ACTIONS.tolist(), TO_COME, strict=True
    ):
        for t, (s, a) in enumerate(zip(states, actions, strict=True)):
            h1 = h1 + chance * to_come[t] * torch.outer(slopes[s, a], slopes[s, a])
            h2 = h2 + chance * to_come[t] * bends[s][a]
            h12 = h12 + chance * torch.outer(slopes[s, a], rising[t, s, a])
    return h1, h2, h12


def true_return(theta: Tensor) -> Tensor:
    return chances(flat(theta)) @ PAID.sum(-1)


def test_episodes_are_all_that_there_are() -> None:
    assert float(chances(START).sum()) == pytest.approx(1.0)


def test_the_decomposition_is_the_hessian_of_the_return() -> None:
    """Eq. 14: this is the ruler, checked against plain differentiation of the expectation."""
    h1, h2, h12 = decomposition()
    hessian = torch.autograd.functional.hessian(true_return, START.flatten())  # type: ignore[no-untyped-call]
    torch.testing.assert_close(h1 + h2 + h12 + h12.mT, hessian)
    assert min(float(part.norm()) for part in (h1, h2, h12)) > 0.1  # each of them matters


def test_second_derivatives_hold_the_terms_they_should() -> None:
    h1, h2, h12 = decomposition()
    torch.testing.assert_close(expected(score_function), h2)
    torch.testing.assert_close(expected(low_variance_curvature), h1 + h2)  # eq. 18
    torch.testing.assert_close(expected(surrogate), h1 + h2)  # eq. 20, at the policy that acted
    torch.testing.assert_close(expected(dice), h1 + h2 + h12 + h12.mT)  # eq. 16


def test_all_have_the_gradient_of_the_return() -> None:
    theta = START.flatten().requires_grad_()
    (true,) = torch.autograd.grad(true_return(theta), theta)
    experience, weights = every_experience(), chances(START)
    for estimator in ESTIMATORS.values():
        told = estimator.inner(POLICY, for_each(flat(theta), 32), experience)
        (slope,) = torch.autograd.grad(H * weights @ told, theta)
        torch.testing.assert_close(slope, true)


def test_a_baseline_leaves_dice_unbiased() -> None:
    """V(s, t) taken off the sums of rewards to come, whatever V is."""
    value = torch.tensor([[0.7, -1.0], [2.0, 0.4], [-0.3, 1.1]]).double()  # (H, S)
    experience, weights = every_experience(), chances(START)
    less = replace(experience, advantages=TO_COME - value[torch.arange(H), STATES])

    def mean(theta: Tensor) -> Tensor:
        return H * weights @ dice(POLICY, for_each(flat(theta), 32), less)

    found = torch.autograd.functional.hessian(mean, START.flatten())  # type: ignore[no-untyped-call]
    torch.testing.assert_close(found, expected(dice))


def per_episode(objective: Objective) -> Tensor:
    """The Hessian that each episode alone would tell, (32, 4, 4)."""
    experience = every_experience()

    def each(theta: Tensor) -> Tensor:
        return H * objective(POLICY, {"logits": theta.reshape(32, 2, 2)}, experience)

    theta = START.flatten().repeat(32, 1).requires_grad_()
    (slope,) = torch.autograd.grad(each(theta).sum(), theta, create_graph=True)
    rows = [torch.autograd.grad(slope[:, k].sum(), theta, retain_graph=True)[0] for k in range(4)]
    return torch.stack(rows, dim=1)


def test_estimates_from_samples_approach_the_terms_and_lvc_varies_less() -> None:
    h1, h2, h12 = decomposition()
    generator = torch.Generator().manual_seed(0)
    drawn = torch.multinomial(chances(START), 40_000, replacement=True, generator=generator)
    spread = {}
    for name, true in (("lvc", h1 + h2), ("dice", h1 + h2 + h12 + h12.mT)):
        sampled = per_episode(ESTIMATORS[name].inner)[drawn]
        spread[name] = sampled.var(0).sum().sqrt()
        error = (sampled.mean(0) - true).norm()
        assert float(error) < 3 * float(spread[name]) / 40_000**0.5  # within three deviations
    assert spread["dice"] > 1.5 * spread["lvc"]  # of a standard deviation


def meta_return(theta: Tensor) -> Tensor:
    """J^II(theta) of one episode before the update (eq. 36): every episode, then every other."""
    experience = every_experience()
    adapted = inner_step(POLICY, for_each(flat(theta), 32), experience, RATE, True, score_function)
    after = torch.stack([chances(own) @ PAID.sum(-1) for own in adapted["logits"]])
    return chances(flat(theta)) @ after


def test_formulation_two_has_the_gradient_of_its_objective() -> None:
    """J_post through the score function's update, and `pre_update_credit`: eq. 45 and 46."""
    theta = START.flatten().requires_grad_()
    (true,) = torch.autograd.grad(meta_return(theta), theta)
    before = every_experience()
    own = for_each(flat(theta), 32)
    adapted = inner_step(POLICY, own, before, RATE, True, score_function)
    total, weights = torch.zeros(()).double(), chances(START)
    for n in range(32):
        one = adapted["logits"][n].detach()
        likely = chances(one)
        after = every_experience(one)
        told = surrogate(POLICY, for_each(adapted["logits"][n], 32), after)
        total = total + weights[n] * likely @ told  # J_post
    paid = torch.stack([chances(each) @ PAID.sum(-1) for each in adapted["logits"].detach()])
    credit = weights @ pre_update_credit(POLICY, own, before, paid)
    (post,) = torch.autograd.grad(H * total, theta, retain_graph=True)
    (pre,) = torch.autograd.grad(H * credit, theta)
    torch.testing.assert_close(post + pre, true)
    assert float(pre.norm()) > 0.05


def test_formulation_one_gives_credit_through_the_update() -> None:
    """J^I with the exact update has eq. 13's gradient; DiCE's expected update has it, too."""
    theta = START.flatten().requires_grad_()

    def adapted(x: Tensor) -> Tensor:
        (slope,) = torch.autograd.grad(true_return(x), x, create_graph=True)
        return x + RATE * slope

    (true,) = torch.autograd.grad(true_return(adapted(theta)), theta)
    found = {}
    for name, estimator in ESTIMATORS.items():
        inner = (
            H
            * chances(START)
            @ estimator.inner(POLICY, for_each(flat(theta), 32), every_experience())
        )
        (slope,) = torch.autograd.grad(inner, theta, create_graph=True)
        (found[name],) = torch.autograd.grad(true_return(theta + RATE * slope), theta)
    torch.testing.assert_close(found["dice"], true)
    far = {name: float((slope - true).norm()) for name, slope in found.items()}
    assert far["lvc"] == pytest.approx(far["likelihood_ratio"])
    assert far["lvc"] > 0.01 and far["maml"] > 0.01  # biased


def test_step_rewards_sum_to_the_advantages() -> None:
    torch.testing.assert_close(step_rewards(every_experience()), PAID)


def test_a_horizon_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="horizon: expected one that 3 transitions are whole"):
        replace(every_experience(), horizon=2)


def test_clipping_leaves_nothing_to_gain_beyond_the_range() -> None:
    """Ratios of .5, 1.1 and 2 with a clip of .2, by hand."""
    half, little, twice = (torch.tensor(r).log() for r in (0.5, 1.1, 2.0))
    for ratio, advantage, worth, rises in (
        (half, 1.0, 0.5, True),  # good and less likely: to be made likelier
        (half, -1.0, -0.8, False),  # bad and less likely: far enough
        (little, 1.0, 1.1, True),
        (twice, 1.0, 1.2, False),  # good and likelier: far enough
        (twice, -1.0, -2.0, True),
    ):
        log_prob = ratio.clone().reshape(1, 1).requires_grad_()

        class Told:
            def log_prob(self, parameters: Parameters, seen: Tensor, acted: Tensor) -> Tensor:
                return parameters["log_prob"]

        experience = Experience(
            *torch.zeros(2, 1, 1, 1), torch.zeros(1, 1), torch.tensor([[advantage]])
        )
        told = clipped_surrogate(Told(), {"log_prob": log_prob}, experience, 0.2)
        assert told.item() == pytest.approx(worth)
        (slope,) = torch.autograd.grad(told.sum(), log_prob)
        assert bool(slope) is rises
