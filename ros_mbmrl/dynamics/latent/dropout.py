"""M-DPILCO: a Bayesian network by dropout, trained over all tasks; it looks at no context.

Gal, McAllister and Rasmussen, *Improving PILCO with Bayesian Neural Network Dynamics Models*, 2016:
a particle keeps its dropout masks in all steps of a roll-out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.latent import particles as of_particles
from ros_mbmrl.dynamics.latent.base import Context, check_context
from ros_mbmrl.dynamics.model import Moments
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.noise import new_noise
from ros_mbmrl.robots.spec import Robot

Masks = Sequence[Tensor]


@dataclass(frozen=True)
class DropoutModel:
    """A network with dropout of its hidden units; see `ContextualModel`.

    Args:
        robot: whose state it predicts.
        mlp: inputs to changes.
        normalizer: of inputs and changes.
        rate: probability that a hidden unit is dropped.
    """

    robot: Robot
    mlp: MLP
    normalizer: Normalizer
    rate: float = 0.05
    size: int = 0

    def __post_init__(self) -> None:
        if not 0.0 < self.rate < 1.0:
            raise ValueError(f"rate: expected a number in (0, 1), got {self.rate!r}")

    def init(self, generator: Generator) -> Parameters:
        """See `ContextualModel.init`."""
        return self.mlp.init(generator) | new_noise(self.mlp.sizes[-1])

    def condition(self, parameters: Parameters, context: Context) -> Dropped:
        """See `ContextualModel.condition`: nothing is inferred."""
        check_context(self.robot, context)
        return Dropped(self, parameters, len(context.states))

    def masks(self, shape: Sequence[int], generator: Generator) -> Masks:
        """Draw masks (*shape, hidden) of hidden layers: 1 / (1 - rate) for a unit kept, or 0."""
        keep = 1.0 - self.rate
        return [
            (torch.rand(*shape, width, generator=generator) < keep).float() / keep
            for width in self.mlp.sizes[1:-1]
        ]

    def forward(self, parameters: Parameters, x: Tensor, masks: Masks) -> Tensor:
        """Return outputs (..., outputs) of inputs (..., inputs), under masks if there are any."""
        h = x
        for k in range(self.mlp.layers):
            h = h @ parameters[f"w{k}"] + parameters[f"b{k}"]
            if k < self.mlp.layers - 1:
                h = self.mlp.act(h)
                h = h * masks[k].to(h) if masks else h
        return h


@dataclass(frozen=True)
class Dropped:
    """See `Conditioned`: a model of N tasks that are all the same to it."""

    model: DropoutModel
    parameters: Parameters
    tasks: int
    code: None = None

    def predict(
        self,
        states: Tensor,
        actions: Tensor,
        generator: Generator | None = None,
        particles: int = 1,
    ) -> Moments:
        """See `Conditioned.predict`.

        Raises:
            UserError: more particles than fit into the memory.
        """
        model = self.model
        x = model.normalizer.inputs(model.robot.features(states), actions)[None]
        of_particles.check_particles(particles, x.shape[1] * x.shape[2], model.mlp)
        masks: Masks = ()
        if generator is not None:
            masks = model.masks((particles, x.shape[1], 1), generator)
        outputs = model.forward(self.parameters, x, masks)
        return of_particles.moments_of(
            model.normalizer, outputs, self.parameters, generator is not None
        )

    def sampled(self, generator: Generator, particles: int) -> SampledDropout:
        """See `Conditioned.sampled`."""
        of_particles.check_particles(particles, self.tasks, self.model.mlp)
        return SampledDropout(self, self.model.masks((self.tasks, particles), generator))


@dataclass(frozen=True)
class SampledDropout:
    """Step of the model under masks (N, K, hidden) that stay the same; see `Sampled`."""

    dropped: Dropped
    masks: Masks
    latent: None = None

    def __call__(self, states: Tensor, actions: Tensor) -> Tensor:
        """See `Sampled`."""
        model = self.dropped.model
        x = model.normalizer.inputs(model.robot.features(states), actions)
        outputs = model.forward(self.dropped.parameters, x, self.masks)
        return model.robot.advance(states, model.normalizer.denormalise(outputs))
