"""ReBAL: a recurrent model whose gates are the learned update rule (thesis section 9.2.1).

psi are the weights of the GRU; the updated model is the prior and the GRU's hidden state after the
window. It is trained on eq. 22 and 23 like every other rule: T1 transitions make the hidden state,
and over the T2 that follow the model's own predictions advance it, as in planning.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator

from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.recurrent import condition, init, observe
from ros_mbmrl.networks.tasks import spread
from ros_mbmrl.networks.updates import Update


@dataclass(frozen=True)
class ReBAL(UpdateRule):
    """An update by the hidden state, of length `size`, of a GRU that has read the window.

    The hidden state is computed anew from the window at every step. While the window fills, that is
    the same as advancing it once with each real transition. Later the memory stays at the trained
    length, T1 transitions from a hidden state of zero. It also makes the rule a function of the
    window like the others: the guard can leave rows out, and when the window is emptied (a gap, a
    stop, a new run), so is the memory.
    """

    size: int = 64
    meta_trained: bool = True

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"size: expected at least 1, got {self.size}")

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """Return the GRU, and the maps from its hidden state to the biases (zero at first)."""
        return init(mlp, self.size, generator)

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Read the rows, oldest first; a row without weight does not change the hidden state."""
        tasks = len(support.weight)
        hidden = support.x.new_zeros(tasks, self.size)
        parts = (support.x, support.y, support.weight)
        rows = (spread(part, tasks).unbind(dim=1) for part in parts)
        for x, y, weight in zip(*rows, strict=True):
            after = observe(mlp, parameters, hidden, x, y)
            hidden = torch.where(weight > 0, after, hidden)
        return condition(parameters, hidden)
