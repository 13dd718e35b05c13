"""Parts of N tasks, of which several may be the same."""

from __future__ import annotations

from torch import Tensor


def spread(part: Tensor, tasks: int) -> Tensor:
    """Repeat a part of M tasks, (M, ...), for `tasks` of them: every M-th has the same."""
    count = part.shape[0]  # len() of a tensor goes through Python, and this is called often
    if count == tasks:
        return part
    if count == 1:
        return part.expand(tasks, *part.shape[1:])
    return part.repeat(tasks // count, *[1] * (part.dim() - 1))
