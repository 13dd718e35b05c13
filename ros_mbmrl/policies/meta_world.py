"""A meta-model as a world: what branched roll-outs from real histories are made in."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.meta_model import MetaModel
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.imagined import Ended
from ros_mbmrl.policies.imagined_world import Step


@dataclass(frozen=True)
class MetaWorld:
    """Moves rows with history: states (n, ds), then observations with histories (n, size).

    Args:
        model, parameters: of the fit.
        ended: tells in which states an episode terminates; None: in none.
    """

    model: MetaModel
    parameters: Parameters
    ended: Ended | None = None

    @torch.no_grad()
    def step(self, states: Tensor, actions: Tensor, generator: Generator) -> Step:
        """Return what becomes of rows with history under actions (n, da) from -1 to 1.

        The imagined transition enters the history, as a real one would.
        """
        size = len(self.model.robot.spec.state)
        now, seen = states[:, :size], states[:, size:]
        moved = self.model.step(self.parameters, now, seen, actions, generator)
        following, rewards = moved
        after = self.model.robot.observation(following)
        then = self.model.layout.moved(seen, actions, rewards, after)
        over = torch.zeros(len(states)) if self.ended is None else self.ended(following).float()
        return Step(torch.cat([following, then], dim=1), rewards, over)
