"""Policy and critics that see observations with their histories (Hiraoka et al., figure 5).

Each has a GRU of its own, whose hidden units z are fed to the network beside the observation.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.networks.history import ContextEncoder, Encoder, Histories
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.base import Choice
from ros_mbmrl.policies.critics import COUNT, TwinCritics
from ros_mbmrl.policies.squashed import SquashedPolicy


@dataclass(frozen=True, kw_only=True)
class HistoryPolicy(SquashedPolicy):
    """pi(a | h_{L:t}), squashed. Observations are those of `layout`, with their histories.

    Args:
        layout: of an observation with its history.
        encoder: of the history.
    """

    layout: Histories
    encoder: ContextEncoder

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(self.layout, self.encoder, self.mlp, self.layout.observations)

    @classmethod
    def of(
        cls, layout: Histories, units: int, hidden: tuple[int, ...], activation: str
    ) -> HistoryPolicy:
        """Return a policy of a GRU of so many units, and so many hidden units a layer."""
        inputs = layout.observations + units
        mlp = MLP((inputs, *hidden, 2 * layout.actions), activation)
        parts = torch.zeros(inputs), torch.ones(inputs)
        return cls(mlp, *parts, layout=layout, encoder=Encoder(layout.width, units))

    def init(self, generator: Generator) -> Parameters:
        """Draw parameters of network and encoder."""
        return super().init(generator) | self.encoder.init(generator)

    def moments(self, parameters: Parameters, observations: Tensor) -> tuple[Tensor, Tensor]:
        """See `SquashedPolicy.moments`; observations with their histories (..., size)."""
        parts = self.layout.parts(observations)
        context = self.encoder.forward(parameters, parts)
        return super().moments(parameters, torch.cat([parts.now, context], dim=-1))

    def first_memory(self, count: int) -> Tensor:
        """See `Policy.first_memory`: the history (count, size) of no transition."""
        return torch.zeros(count, self.layout.memory)

    def remembered(
        self, memory: Tensor, observation: Tensor, actions: Tensor, rewards: Tensor
    ) -> Tensor:
        """Return the memory (N, size) after a transition.

        Args:
            memory: before it.
            observation, actions, rewards: (N, do), (N, da) and (N,), of the transition.
        """
        seen = torch.cat([observation, memory], dim=-1)
        return self.layout.moved(seen, actions, rewards, observation)[:, self.layout.observations :]

    def distribution(
        self,
        parameters: Parameters,
        observation: Tensor,
        memory: Tensor | None = None,
        context: Tensor | None = None,
    ) -> Choice:
        """See `Policy.distribution`. The memory is that of `remembered`; it stays as it is."""
        if context is not None:
            raise ValueError("context: expected none: this policy infers one from its memory")
        rows = observation.flatten(0, -2)
        held = self.first_memory(len(rows)) if memory is None else memory.flatten(0, -2)
        held = held.view(*observation.shape[:-1], -1)
        chosen = super().distribution(parameters, torch.cat([observation, held], dim=-1))
        return Choice(chosen.actions, held)


@dataclass(frozen=True)
class HistoryCritics(TwinCritics):
    """Q(a, h_{L:t}), twice.

    Args:
        mlp: observation, action and context to one number.
        layout: of an observation with its history.
        encoder: of the history; each critic has its own parameters.
    """

    layout: Histories
    encoder: Encoder

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(self.layout, self.encoder, self.mlp, self.layout.observations + self.layout.actions)

    @classmethod
    def of(
        cls, layout: Histories, units: int, hidden: tuple[int, ...], activation: str
    ) -> HistoryCritics:
        """Return critics of GRUs of so many units, and so many hidden units a layer."""
        inputs = layout.observations + units + layout.actions
        return cls(MLP((inputs, *hidden, 1), activation), layout, Encoder(layout.width, units))

    def init(self, generator: Generator) -> Parameters:
        """Draw each critic's parameters for itself."""
        each = [self.encoder.init(generator) for _ in range(COUNT)]
        gru = {name: torch.stack([one[name] for one in each]) for name in each[0]}
        return super().init(generator) | gru

    def both(self, parameters: Parameters, observations: Tensor, actions: Tensor) -> Tensor:
        """See `TwinCritics.both`; observations with their histories (B, size)."""
        parts = self.layout.parts(observations)
        own = ({name: value[k] for name, value in parameters.items()} for k in range(COUNT))
        contexts = torch.stack([self.encoder.forward(each, parts) for each in own])
        seen = torch.cat([parts.now.expand(COUNT, -1, -1), contexts], dim=-1)
        return super().both(parameters, seen, actions)


def _check(layout: Histories, encoder: ContextEncoder, mlp: MLP, beside: int) -> None:
    """Raise ValueError for parts that do not fit each other."""
    if layout.length < 1:
        raise ValueError(f"history: expected a length of 1 or more, got {layout.length}")
    if encoder.inputs != layout.width or mlp.sizes[0] != beside + encoder.units:
        raise ValueError(
            f"history: expected an encoder of {layout.width} inputs and a network of "
            f"{beside + encoder.units}, got {encoder.inputs} and {mlp.sizes[0]}"
        )
