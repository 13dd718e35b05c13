"""WorldModel: a learned model to predict and to imagine with, differentiable throughout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from torch import Tensor

from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.networks.updates import Update
from ros_mbmrl.robots.spec import Robot

# choose(states (N, ds), step) -> actions (N, da) in the unit of the command
Choose = Callable[[Tensor, int], Tensor]


class Prediction(NamedTuple):
    """Gaussian over the change of state, (..., dc) in SI units.

    variance: of an ensemble, its members' disagreement and, with Gaussian heads, the variance that
        they predict; None of a single network, which knows none.
    """

    mean: Tensor
    variance: Tensor | None


class WorldModel(Protocol):
    """A model of N robots, each adapted to its own window or not at all."""

    @property
    def robot(self) -> Robot:
        """Robot that is modelled."""

    def predict(self, states: Tensor, actions: Tensor) -> Prediction:
        """Predict the changes that actions (N, da) make of states (N, ds)."""

    def imagine(self, states: Tensor, actions: Tensor) -> Tensor:
        """Roll out plans (N, H, da) from states (N, ds): states (N, H+1, ds)."""

    def follow(self, states: Tensor, choose: Choose, horizon: int) -> tuple[Tensor, Tensor]:
        """Roll out a policy: states (N, H+1, ds) and the actions (N, H, da) that it chose."""


@dataclass(frozen=True)
class AdaptedModel:
    """A `DynamicsModel` with its parameters and the updates of N tasks: a `WorldModel`.

    The planners' fast path is `DynamicsModel.predictor`, which gives the same numbers but for
    rounding and has no gradient.

    Args:
        model: what the parameters belong to.
        parameters: of the prior.
        update: of N tasks, `model.mlp.no_update` for the prior itself.
    """

    model: DynamicsModel
    parameters: Parameters
    update: Update

    @property
    def robot(self) -> Robot:
        """Robot that is modelled."""
        return self.model.robot

    def predict(self, states: Tensor, actions: Tensor) -> Prediction:
        """See `WorldModel.predict`."""
        rows = states[:, None], actions[:, None]
        found = self.model.moments(self.parameters, self.update, *rows)
        variance = found.variance
        return Prediction(found.mean[:, 0], None if variance is None else variance[:, 0])

    def imagine(self, states: Tensor, actions: Tensor) -> Tensor:
        """See `WorldModel.imagine`."""
        return self.model.rollout_updated(self.parameters, self.update, states, actions)

    def follow(self, states: Tensor, choose: Choose, horizon: int) -> tuple[Tensor, Tensor]:
        """See `WorldModel.follow`."""
        return self.model.follow(self.parameters, self.update, states, choose, horizon)
