"""Tell what theory promises for a trained model and policy: bounds, their inputs, their values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from ros_mbmrl.evaluation.guarantees.model_error import ModelError
from ros_mbmrl.evaluation.guarantees.policy_divergence import PolicyDivergence
from ros_mbmrl.evaluation.guarantees.smoothness import Constants
from ros_mbmrl.theory import total_variation as tv
from ros_mbmrl.theory import wasserstein as ws

M3PO, JANNER = "Hiraoka et al., M3PO", "Janner et al. 2019"
GSSM, MEMB, MAAC = "Wang and van Hoof, GSSM", "Tan et al., MEMB", "thesis, chapter 7 (MAAC)"


@dataclass(frozen=True)
class Estimates:
    """All that the bounds of a run are computed from.

    Args:
        discount: gamma, from 0 to less than 1.
        reward: largest absolute reward of the real data, in place of r_max.
        horizon: length k of branched roll-outs.
        model, policy: errors, see there.
        smooth: Lipschitz constants.
        imagined: discounted return of the policy in the model.
        noise: that the total variation of the model was counted with.
    """

    discount: float
    reward: float
    horizon: int
    model: ModelError
    policy: PolicyDivergence
    smooth: Constants
    imagined: float
    noise: float

    @property
    def problem(self) -> tv.Problem:
        """Return gamma and r_max. Raises ValueError for those that no bound holds for."""
        return tv.Problem(self.discount, self.reward)


@dataclass(frozen=True)
class Bound:
    """A bound on |return in the model - return in the system|, or on another gap of returns.

    Args:
        name, source: of the bound.
        says: the gap that it is on.
        value: of the bound; None: its assumptions do not hold, or an input is not known (`why`).
        of_means: the same with mean errors in place of the largest; no bound, for comparison.
        vacuous: whether it is no better than what holds for any two returns.
        guaranteed: what the policy earns at least in the system, where the bound tells that.
        why: there is no value.
    """

    name: str
    source: str
    says: str
    value: float | None
    of_means: float | None = None
    vacuous: bool | None = None
    guaranteed: float | None = None
    why: str = ""


def bounds_of(known: Estimates) -> list[Bound]:
    """Return every bound of `theory` for a run."""
    return [*_by_variation(known), *_by_distance(known), *_of_gradients(known)]


def _by_variation(known: Estimates) -> list[Bound]:
    """Return the bounds in total variation distances."""
    problem, k = known.problem, known.horizon
    worst = tv.Divergences(known.model.variation, known.policy.variation)
    usual = tv.Divergences(known.model.mean_variation, known.policy.mean_variation)
    there = "return in the model beside the system"

    def row(name: str, source: str, gap: Callable[[tv.Divergences], float], says: str) -> Bound:
        value = gap(worst)
        lower = known.imagined - value if says == there else None
        vacuous = value >= tv.trivial_gap(problem)
        return Bound(name, source, says, value, gap(usual), vacuous, lower)

    return [
        row(
            "theorem 1 (table 1); 4.1 of Janner et al.",
            M3PO,
            lambda e: tv.full_rollout_gap(problem, e),
            there,
        ),
        row(
            f"theorems 2 and 3, k = {k}",
            M3PO,
            lambda e: tv.branched_rollout_gap(problem, e, k),
            "return of branched roll-outs beside the system",
        ),
        row(
            f"theorems 2 and 3 as printed, k = {k}",
            M3PO,
            lambda e: tv.printed_branched_gap(problem, e, k),
            "return of branched roll-outs beside the system",
        ),
        row(
            f"theorem 4.2, k = {k}",
            JANNER,
            lambda e: tv.single_branch_gap(problem, e, k),
            "return of the branches' ends beside the system",
        ),
        row("lemma 1", GSSM, lambda e: tv.any_policy_gap(problem, e.model), there),
        row(
            "theorem 1",
            GSSM,
            lambda e: tv.regret(problem, e.model),
            "what the model's best policy loses to the system's",
        ),
        row(
            "same system, other policy",
            MAAC + ", theorem 1",
            lambda e: tv.policy_gap(problem, e.policy),
            "return of the policy beside the one that gathered the data",
        ),
    ]


def _by_distance(known: Estimates) -> list[Bound]:
    """Return the bounds in Wasserstein distances, whose assumptions may not hold."""
    problem, k, own = known.problem, known.horizon, known.smooth
    full = ("theorem 1", MEMB, "return in the model beside the system")
    branched = (f"theorem 2, k = {k}", MEMB, "return of branched roll-outs beside the system")
    try:
        constants = ws.Lipschitz(known.discount, own.model, own.policy, own.reward)
    except ValueError:
        why = (
            f"its assumption fails: K_pi K_m = {own.policy * own.model:.3g}, expected less than 1 "
            f"(K_pi = {own.policy:.3g}, K_m = {own.model:.3g})"
        )
        return [Bound(*each, None, why=why) for each in (full, branched)]
    worst = ws.Distances(known.model.distance, known.policy.distance)
    usual = ws.Distances(known.model.mean_distance, known.policy.mean_distance)
    trivial = tv.trivial_gap(problem)
    value, steps = (ws.full_rollout_gap(constants, each) for each in (worst, usual))
    short, few = (ws.branched_rollout_gap(constants, each, k) for each in (worst, usual))
    return [
        Bound(*full, value, steps, value >= trivial, known.imagined - value),
        Bound(*branched, short, few, short >= trivial),
    ]


def _of_gradients(known: Estimates) -> list[Bound]:
    """Return the bounds of MAAC, which a run cannot tell the inputs of."""
    why = (
        "needs epsilon_f and epsilon_Q, errors of derivatives of the system and of its Q, which no "
        f"data tell; from the model: K = {max(1.0, known.smooth.loop):.3g}, "
        f"L = {known.smooth.model * known.smooth.policy:.3g}, L_r = {known.smooth.reward:.3g}"
    )
    says = "gradient through the model beside the true one, and what a step on it loses"
    return [Bound("lemmas 1 and 2, theorem 1", MAAC, says, None, why=why)]


def inputs_of(known: Estimates) -> list[dict[str, Any]]:
    """Return rows of what the bounds take: name, value, mean, and how it was estimated."""
    model, policy, own = known.model, known.policy, known.smooth
    by = f"{model.transitions} held-out transitions"
    noisy = (
        f"{by}; largest over time of the mean; the system is taken to have noise of "
        f"{known.noise:g} of each change's deviation (without noise: 1)"
        if known.noise
        else f"{by}; 1 for a system without noise, unless the model is exact (see --noise)"
    )
    at = f"pi_D fitted to all real data by maximum likelihood; largest over {policy.states} states"
    units = "states in deviations of the data"
    largest = "largest derivative at real states, which the true constant is not below"

    def row(name: str, value: float, how: str, mean: float | None = None) -> dict[str, Any]:
        return {"name": name, "value": value, "mean": mean, "how": how}

    return [
        row("gamma", known.discount, "of the training, or as --discount"),
        row("r_max", known.reward, "largest absolute reward of the real data"),
        row("epsilon_m", model.variation, noisy, model.mean_variation),
        row("epsilon_pi", policy.variation, f"{at}; by KL divergences", policy.mean_variation),
        row("-log likelihood [nat]", model.likelihood, f"{by}; what M3PO, A.6 draws"),
        row("KL(pi | pi_D) [nat]", policy.divergence, "mean; what M3PO, A.6 draws"),
        row("W epsilon_m", model.distance, f"{by}; largest; {units}", model.mean_distance),
        row("W epsilon_pi", policy.distance, f"{at}; of actions in -1..1", policy.mean_distance),
        row("K_m", own.model, f"{largest}; the model's, taken for the system's, too"),
        row("K_pi", own.policy, f"{largest}; of s -> (s, pi(s))"),
        row("K_r", own.reward, largest),
        row("model return", known.imagined, "discounted; the policy with its noise, in the model"),
    ]


def as_rows(bounds: list[Bound]) -> list[dict[str, Any]]:
    """Return the bounds as plain data."""
    return [asdict(bound) for bound in bounds]
