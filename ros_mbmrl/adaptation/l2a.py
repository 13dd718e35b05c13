"""L2A: gradient steps on the context, as a `ContextualModel`: GrBAL's update of N tasks at once.

Nagabandi et al., *Learning to Adapt in Dynamic, Real-World Environments through Meta-Reinforcement
Learning*, 2019. It stands here, since `dynamics` knows no update rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Generator, Tensor

from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.gradient import GradientStep, grbal
from ros_mbmrl.dynamics.latent.base import Context, Rows, check_context, rows_of
from ros_mbmrl.dynamics.model import Moments
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.updates import Update
from ros_mbmrl.robots.spec import Robot


@dataclass(frozen=True)
class L2A:
    """A network that gradient steps adapt to the context.

    Args:
        robot: whose state it predicts.
        mlp: inputs to changes.
        normalizer: of inputs and changes.
        rule: the steps, whose sizes are learned.
    """

    robot: Robot
    mlp: MLP
    normalizer: Normalizer
    rule: GradientStep = field(default_factory=grbal)
    size: int = 0

    def init(self, generator: Generator) -> Parameters:
        """See `ContextualModel.init`."""
        own = self.mlp.init(generator)
        return own | self.rule.init(self.mlp, own, generator)

    def condition(self, parameters: Parameters, context: Context) -> Stepped:
        """See `ContextualModel.condition`: the gradient steps."""
        check_context(self.robot, context)
        support = self.support(rows_of(self.robot, self.normalizer, context))
        return Stepped(self, parameters, self.rule.update(self.mlp, parameters, support))

    def support(self, rows: Rows) -> Support:
        """Return transitions as an update rule sees them."""
        scale = rows.y.new_tensor(self.robot.spec.change_weights)
        return Support(rows.x, rows.y, rows.weight, scale / scale.mean())


@dataclass(frozen=True)
class Stepped:
    """See `Conditioned`: the network under the updates of N tasks. It knows no variance."""

    model: L2A
    parameters: Parameters
    update: Update
    code: None = None

    def predict(
        self,
        states: Tensor,
        actions: Tensor,
        generator: Generator | None = None,
        particles: int = 1,
    ) -> Moments:
        """See `Conditioned.predict`: nothing is random."""
        return Moments(self.changes(states, actions), None, None)

    def sampled(self, generator: Generator, particles: int) -> SampledSteps:
        """See `Conditioned.sampled`: all particles are the same."""
        return SampledSteps(self)

    def changes(self, states: Tensor, actions: Tensor) -> Tensor:
        """Return the changes (N, T, dc), in SI units."""
        model = self.model
        x = model.normalizer.inputs(model.robot.features(states), actions)
        outputs = model.mlp.forward_updated(self.parameters, self.update, x).outputs
        return model.normalizer.denormalise(outputs)


@dataclass(frozen=True)
class SampledSteps:
    """Step of the adapted model; see `Sampled`."""

    stepped: Stepped
    latent: None = None

    def __call__(self, states: Tensor, actions: Tensor) -> Tensor:
        """See `Sampled`."""
        return self.stepped.model.robot.advance(states, self.stepped.changes(states, actions))
