"""Planning with an ensemble: whose member imagines which candidate.

Candidate k of a roll-out is imagined by member k mod E. A predictor says by its attribute `members`
how many take part; without one it is a single model.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ros_mbmrl.planning.base import Predict
from ros_mbmrl.robots.delay import Delay


def member_count(predict: Predict) -> int:
    """Return how many models share the candidates of a roll-out."""
    return int(getattr(predict, "members", 1))


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

    def __call__(self, state: Tensor, actions: Tensor) -> Tensor:
        """Roll out `actions` from `state`; see `Predict`."""
        return self._predict(state, self._delay.blend(actions, self._previous))
