"""Planning with an ensemble: which member imagines which candidate, and what disagreement costs.

Candidate k of a roll-out is imagined by member k mod E. A predictor says by its attribute `members`
how many take part; without one it is a single model. An ensemble's has `propagated`, too, which
returns it with another propagation of particles. A model with a latent variable has `uncertain`,
which returns one whose members are draws of it; only a planner that minds risk asks for it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from ros_mbmrl.errors import UserError
from ros_mbmrl.planning.base import Predict
from ros_mbmrl.planning.sampling import SamplingConfig
from ros_mbmrl.robots.delay import Delay

# propagated(particles, generator of the noise or None) -> the predictor that moves them so
Propagate = Callable[[str, Generator | None], Predict]


def member_count(predict: Predict) -> int:
    """Return how many models share the candidates of a roll-out."""
    return int(getattr(predict, "members", 1))


def propagated(predict: Predict, config: SamplingConfig, generator: Generator | None) -> Predict:
    """Return the predictor with the propagation that a planner is configured for.

    Args:
        generator: of the noise, if the configuration asks for it.

    Raises:
        UserError: the model is a single network, or cannot do it.
    """
    if config.risk and member_count(predict) < 2:
        uncertain: Callable[[], Predict] | None = getattr(predict, "uncertain", None)
        if uncertain is None:
            raise UserError(
                "planner parameter risk: expected 0, a model of several members, or one with a "
                "latent variable"
            )
        predict = uncertain()
    if config.particles == "ts_inf" and not config.sample:
        return predict
    change: Propagate | None = getattr(predict, "propagated", None)
    if change is None:
        name = "sample" if config.sample else "particles"
        raise UserError(f"planner parameter {name}: expected an ensemble, got a single network")
    return change(config.particles, generator if config.sample else None)


def copied(candidates: Tensor, copies: int) -> Tensor:
    """Return candidates (..., K, H, da) `copies` times each, one for each member."""
    return candidates if copies == 1 else candidates.repeat_interleave(copies, dim=-3)


def risky(costs: Tensor, copies: int, risk: float) -> Tensor:
    """Return mean + risk * standard deviation over the copies of each candidate, (..., K).

    costs: (..., K * copies), of the candidates that `copied` returns.
    """
    if copies == 1:
        return costs
    each = costs.reshape(*costs.shape[:-1], -1, copies)
    return each.mean(dim=-1) + risk * each.std(dim=-1, correction=0)


def blocks_of(candidates: Tensor, count: int, members: int) -> list[Tensor]:
    """Cut candidates (K, H, da) into at most `count` blocks with equal shares of every kind.

    Groups of `members` neighbours go to the blocks in turn. So the place of a candidate in its
    block, mod `members`, is that of its own number, and every block has a whole group.
    """
    if members == 1:
        return [candidates[k::count] for k in range(count)]
    count = max(1, min(count, len(candidates) // members))
    block = torch.arange(len(candidates), device=candidates.device) // members % count
    return [candidates[block == k] for k in range(count)]


class Delayed:
    """A predictor of planned commands that act late: a share of the one before acts, too.

    Args:
        predict: predicts from commands as they act.
        delay: whose share is above 0.
        previous: (da,), or (N, 1, da) of N robots, the last command sent.
    """

    def __init__(self, predict: Predict, delay: Delay, previous: Tensor) -> None:
        self._predict, self._delay, self._previous = predict, delay, previous
        self.members = member_count(predict)
        change: Propagate | None = getattr(predict, "propagated", None)
        if change is not None:
            self.propagated: Propagate = lambda *how: Delayed(change(*how), delay, previous)
        uncertain: Callable[[], Predict] | None = getattr(predict, "uncertain", None)
        if uncertain is not None:
            self.uncertain: Callable[[], Predict] = lambda: Delayed(uncertain(), delay, previous)

    def __call__(self, state: Tensor, actions: Tensor) -> Tensor:
        """Roll out `actions` from `state`; see `Predict`."""
        return self._predict(state, self._delay.blend(actions, self._previous))
