"""LatentModel: an encoder and a decoder, as a `ContextualModel`: GSSM, MLSM-v0 and MLSM-v1."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.latent import particles as of_particles
from ros_mbmrl.dynamics.latent.base import Code, Context, check_context, rows_of
from ros_mbmrl.dynamics.latent.encoders import Encoder, Looked, decode, joined
from ros_mbmrl.dynamics.model import Moments
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.noise import new_noise
from ros_mbmrl.robots.spec import Robot


@dataclass(frozen=True)
class LatentModel:
    """A model with a latent variable; see `ContextualModel`.

    Args:
        robot: whose state it predicts.
        encoder: from the context to z.
        mlp: the decoder without z: inputs to changes.
        normalizer: of inputs and changes.
    """

    robot: Robot
    encoder: Encoder
    mlp: MLP
    normalizer: Normalizer

    @property
    def size(self) -> int:
        """See `ContextualModel.size`."""
        return self.encoder.size

    def init(self, generator: Generator) -> Parameters:
        """See `ContextualModel.init`."""
        own = self.mlp.init(generator)
        own |= self.encoder.init(self.mlp, own, generator)
        return own | new_noise(self.mlp.sizes[-1])

    def condition(self, parameters: Parameters, context: Context) -> ConditionedLatent:
        """See `ContextualModel.condition`: one pass through the encoder."""
        check_context(self.robot, context)
        rows = rows_of(self.robot, self.normalizer, context)
        return ConditionedLatent(self, parameters, self.encoder.look(self.mlp, parameters, rows))


@dataclass(frozen=True)
class ConditionedLatent:
    """See `Conditioned`.

    Args:
        model: that has looked.
        parameters: of the model.
        looked: view of N tasks.
    """

    model: LatentModel
    parameters: Parameters
    looked: Looked

    @property
    def code(self) -> Code:
        """Return q(z_c) of N tasks, eq. 6."""
        return self.looked.code

    def predict(
        self,
        states: Tensor,
        actions: Tensor,
        generator: Generator | None = None,
        particles: int = 1,
    ) -> Moments:
        """See `Conditioned.predict`: eq. 11. A particle's noise is the same in all rows of a task.

        Raises:
            UserError: more particles than fit into the memory.
        """
        model = self.model
        x = model.normalizer.inputs(model.robot.features(states), actions)
        of_particles.check_particles(particles, x.shape[0] * x.shape[1], model.mlp)
        noise = torch.zeros(1, len(x), 1, model.size)
        if generator is not None:
            noise = torch.randn(particles, len(x), 1, model.size, generator=generator)
        read = self.read(x, noise.to(x))
        outputs = decode(model.mlp, self.parameters, x, read.flatten(0, 1))
        several = outputs.view(*read.shape[:2], *outputs.shape[1:])
        return of_particles.moments_of(
            model.normalizer, several, self.parameters, generator is not None
        )

    def sampled(self, generator: Generator, particles: int) -> SampledLatent:
        """See `Conditioned.sampled`."""
        tasks = len(self.looked.code.mean)
        of_particles.check_particles(particles, tasks, self.model.mlp)
        noise = torch.randn(tasks, particles, self.model.size, generator=generator)
        return SampledLatent(self, noise.to(self.looked.code.mean))

    def read(self, x: Tensor, noise: Tensor) -> Tensor:
        """Return all that the decoder reads beside x.

        Args:
            x: inputs (N, T, inputs).
            noise: standard normal (..., N, T, size), or (..., N, 1, size).

        Returns:
            (..., N, T, reads), or (..., N, 1, reads) where it is the same in all rows.
        """
        code, local = self.model.encoder.at(self.parameters, self.looked, x)
        return joined(code.at(noise), local)


@dataclass(frozen=True)
class SampledLatent:
    """Step of the model under noise (N, K, size) of z that stays the same; see `Sampled`.

    z itself depends on the state where the model's posterior does (GSSM). The change is the mean
    for that z, without the noise of observations.
    """

    conditioned: ConditionedLatent
    noise: Tensor

    @property
    def latent(self) -> Tensor:
        """See `Sampled.latent`."""
        return Code(*(part[:, None] for part in self.conditioned.code)).at(self.noise)

    def __call__(self, states: Tensor, actions: Tensor) -> Tensor:
        """See `Sampled`."""
        model, parameters = self.conditioned.model, self.conditioned.parameters
        x = model.normalizer.inputs(model.robot.features(states), actions)
        outputs = decode(model.mlp, parameters, x, self.conditioned.read(x, self.noise))
        return model.robot.advance(states, model.normalizer.denormalise(outputs))
