"""Rules with a latent variable: GSSM and the neural processes MLSM-v0 and MLSM-v1, in the loop.

The window is the context. z, in the mean of its Gaussian, shifts the first layer's biases; what the
input attends to among the window's transitions (eq. 7 of GSSM, the local part of MLSM-v1) is added
there, too, so that both hold in a roll-out for every imagined step anew.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

from torch import Generator

from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.dynamics.latent.base import Rows
from ros_mbmrl.dynamics.latent.encoders import Encoder
from ros_mbmrl.dynamics.latent.gssm import GSSM
from ros_mbmrl.dynamics.latent.mlsm import MLSM0, MLSM1
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.noise import new_noise
from ros_mbmrl.networks.updates import Update


@dataclass(frozen=True)
class LatentRule(UpdateRule):
    """An update by an encoder's latent variable.

    Args:
        size, hidden, depth, keys, temperature: see `Encoder`.
        particles: K of eq. 10, in training.
    """

    size: int = 16
    hidden: int = 32
    depth: int = 2
    keys: int = 32
    temperature: float = 1.0
    particles: int = 1
    meta_trained: bool = True
    kind: ClassVar[type[Encoder]] = GSSM

    def __post_init__(self) -> None:
        self._made()  # refuses its wrong options
        if self.particles < 1:
            raise ValueError(f"particles: expected at least 1, got {self.particles}")

    @property
    def encoder(self) -> Encoder:
        """Return the encoder of transitions."""
        return self._made()

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """Return the encoder's parameters; the latent variable changes nothing at first."""
        own = self.encoder.init(mlp, parameters, generator, frozen=True)
        return own | new_noise(mlp.sizes[-1])

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Return the update by the window; none for a task without a weighted row."""
        encoder = self.encoder
        looked = encoder.look(mlp, parameters, Rows(support.x, support.y, support.weight))
        found = encoder.update(mlp, parameters, looked)
        return found.where(support.weight.amax(dim=(1, 2)) > 0)

    def _made(self) -> Encoder:
        return self.kind(**{field.name: getattr(self, field.name) for field in fields(Encoder)})


@dataclass(frozen=True)
class MLSM0Rule(LatentRule):
    """`LatentRule` of the plain neural process."""

    kind: ClassVar[type[Encoder]] = MLSM0


@dataclass(frozen=True)
class MLSM1Rule(LatentRule):
    """`LatentRule` of the attentive neural process."""

    kind: ClassVar[type[Encoder]] = MLSM1
