"""Settings of M3PO: Hiraoka et al., tables 2 and 3.

Most cells of table 2 are lost in the copy that we have: M of two environments, G of two, the
networks and the ensemble's kind are from there. L, E and all that a fit needs are ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ros_mbmrl.learning.models.sequence_fit import SequenceFit
from ros_mbmrl.learning.policies.soft import SoftConfig
from ros_mbmrl.learning.policies.with_histories import HistoryConfig


@dataclass(frozen=True)
class M3POConfig(HistoryConfig):
    """Settings of M3PO, M3PO-h, M2PO and M3PO with full roll-outs.

    method: its name. every: E, control periods of an epoch, which begins with a fit. rollouts: M,
    for each real transition. length: k. full: whether roll-outs begin where episodes do (the
    full-model-based ones), and not at any real history; they are then made after each fit, as many
    as there is room for. imagined: size of the memory of imagined transitions. beta: share of
    imagined transitions in a batch (eq. 28). anneal: epochs between which beta falls linearly to 0
    (table 3); None: it stays. heads: B. model_hidden: of each head. meta: whether the model sees
    the history; else it is M2PO's (section A.9). fit: of the models. updates: G.
    """

    method: str = "m3po"
    updates: int = 20
    soft: SoftConfig = field(default_factory=lambda: SoftConfig(hidden=(400, 400)))
    every: int = 1000
    rollouts: int = 500
    length: int = 1
    full: bool = False
    imagined: int = 50_000
    beta: float = 1.0
    anneal: tuple[float, ...] | None = None
    heads: int = 5
    model_hidden: tuple[int, ...] = (400, 400)
    meta: bool = True
    fit: SequenceFit = field(default_factory=SequenceFit)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.length < 1:
            raise ValueError(f"length: expected k of at least 1 control period, got {self.length}")
        if not 0 <= self.beta <= 1:
            raise ValueError(f"beta: expected a share from 0 to 1, got {self.beta}")
        if min(self.every, self.rollouts, self.imagined) < 1 or self.heads < 2:
            raise ValueError("expected every, rollouts, imagined of 1 or more, and 2 heads or more")
        if self.anneal is not None and not (
            len(self.anneal) == 2 and 0 <= self.anneal[0] < self.anneal[1] < math.inf
        ):
            raise ValueError(f"anneal: expected two rising epochs, got {self.anneal}")

    def share(self, epoch: int) -> float:
        """Return beta at an epoch: from `beta` before the first of `anneal` to 0 after the second.

        Table 3 prints min(max(1 - (e - a) / (b - a), 1), 0), which is 0 at all times: min and max
        are exchanged.
        """
        if self.anneal is None:
            return self.beta
        begin, end = self.anneal
        return self.beta * max(min(1.0 - (epoch - begin) / (end - begin), 1.0), 0.0)
