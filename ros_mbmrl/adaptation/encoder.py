"""The encoder that all context rules share: one code for each transition.

It is that of `dynamics.latent.transitions` with a frozen f, the supervised model that training
started from.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator, Tensor

from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.dynamics.latent import transitions
from ros_mbmrl.networks.groups import ENCODER
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.recurrent import no_condition
from ros_mbmrl.networks.tasks import spread


@dataclass(frozen=True)
class EncoderRule(UpdateRule):
    """A rule with an encoder.

    Args:
        hidden: width of the encoder.
        size: length of the code z.
        limit: normalised changes are clipped at +-limit.
    """

    hidden: int = 64
    size: int = 16
    limit: float = 5.0
    meta_trained: bool = True

    def __post_init__(self) -> None:
        if min(self.hidden, self.size) < 1:
            raise ValueError("hidden, size: expected positive numbers")


def encoder(mlp: MLP, hidden: int, outputs: int) -> MLP:
    """Return the network that encodes transitions of `mlp`."""
    return transitions.transition_encoder(mlp, hidden, outputs)


def init(
    mlp: MLP, network: MLP, size: int, parameters: Parameters, generator: Generator
) -> Parameters:
    """Return the encoder, maps from a code of `size` to biases (zero at first), the frozen f."""
    own = ENCODER.named(network.init(generator)) | no_condition(mlp, size)
    return own | transitions.frozen_of(mlp, parameters)


def encode(
    mlp: MLP, network: MLP, parameters: Parameters, support: Support, limit: float
) -> Tensor:
    """Encode the transitions of all tasks (N, T1, outputs), changes clipped at +-limit."""
    encoded = transitions.encode(mlp, network, parameters, support.x, support.y, limit)
    return spread(encoded, len(support.weight))
