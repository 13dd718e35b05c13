"""Interface of contextual models: they look at transitions of a task, then predict its others.

Models with a latent variable z infer a Gaussian of it (GSSM, MLSM), others take gradient steps
(L2A) or look at nothing (M-DPILCO). All of it is batched over N tasks and differentiable.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.model import Moments
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.robots.spec import Robot


class Code(NamedTuple):
    """A diagonal Gaussian of the latent variable of N tasks: mean and deviation (N, ..., size)."""

    mean: Tensor
    deviation: Tensor

    def at(self, noise: Tensor) -> Tensor:
        """Return the latent variables for standard normal noise (..., size)."""
        return self.mean + self.deviation * noise


class Rows(NamedTuple):
    """Normalised transitions of N tasks.

    x: inputs (M, T, inputs), M divides N. y: changes (M, T, outputs). weight: (N, T, 1), 0 for a
    row that does not count.
    """

    x: Tensor
    y: Tensor
    weight: Tensor

    @property
    def share(self) -> Tensor:
        """Return weights that sum to one over each task's rows; zero for a task without any."""
        return self.weight / self.weight.sum(dim=1, keepdim=True).clamp_min(1e-8)


class Context(NamedTuple):
    """Transitions of N tasks to look at, raw, in SI units.

    states, following: (N, C, ds). actions: (N, C, da). weight: (N, C), 0 for a missing row.
    """

    states: Tensor
    actions: Tensor
    following: Tensor
    weight: Tensor


class Sampled(Protocol):
    """Step of one sample of the model for each of K particles of N tasks."""

    @property
    def latent(self) -> Tensor | None:
        """Return z of the context for each particle, (N, K, size); None without a latent variable.

        It is what a policy is conditioned on that acts in this sample of the model.
        """

    def __call__(self, states: Tensor, actions: Tensor) -> Tensor:
        """Return next states (N, K, ds) of states (N, K, ds) under actions (N, K, da)."""


class Conditioned(Protocol):
    """A contextual model that has looked at the contexts of N tasks."""

    @property
    def code(self) -> Code | None:
        """Return the Gaussian of z given the context, which policies are conditioned on, or None.

        None: the model has no latent variable.
        """

    def predict(
        self,
        states: Tensor,
        actions: Tensor,
        generator: Generator | None = None,
        particles: int = 1,
    ) -> Moments:
        """Predict the changes (N, T, dc), SI, that actions (N, T, da) make of states (N, T, ds).

        Args:
            states, actions: of rows that do not depend on each other.
            generator: of the particles; None: one particle, in the mean of all that is random.
            particles: samples that the moments are taken over.
        """

    def sampled(self, generator: Generator, particles: int) -> Sampled:
        """Draw all that stays fixed during a roll-out, for each of K particles of each task."""


class ContextualModel(Protocol):
    """A model of a family of tasks; parameters are apart."""

    @property
    def robot(self) -> Robot:
        """Return the robot whose state is predicted."""

    @property
    def size(self) -> int:
        """Return how many numbers the latent variable has; 0 of a model without one."""

    def init(self, generator: Generator) -> Parameters:
        """Draw parameters."""

    def condition(self, parameters: Parameters, context: Context) -> Conditioned:
        """Return the model after a look at the contexts.

        Raises:
            UserError: an empty context, or one of another robot.
        """


def rows_of(robot: Robot, normalizer: Normalizer, context: Context) -> Rows:
    """Return the normalised transitions of contexts; missing ones may hold any numbers."""
    x = normalizer.inputs(robot.features(context.states), context.actions)
    y = normalizer.changes(robot.difference(context.states, context.following))
    limit = 10.0  # as for windows, see `adaptation.guard.support_of`
    return Rows(
        torch.nan_to_num(x), torch.nan_to_num(y).clamp(-limit, limit), context.weight[..., None]
    )


def check_context(robot: Robot, context: Context) -> None:
    """Refuse a context that nothing can be inferred from.

    Raises:
        UserError: a task without a transition, or numbers of another robot.
    """
    spec = robot.spec
    sizes = {"states": len(spec.state), "actions": len(spec.action), "following": len(spec.state)}
    for name, size in sizes.items():
        got = getattr(context, name).shape
        if len(got) != 3 or got[-1] != size:
            raise UserError(
                f"context: {name} of another robot: expected (tasks, transitions, {size}) for "
                f"{spec.name}, got {tuple(got)}"
            )
    counts = (context.weight > 0).sum(dim=1)
    if not bool((counts > 0).all()):
        empty = int(torch.nonzero(counts == 0)[0]) if len(counts) else 0
        raise UserError(f"empty context: task {empty} has no transition, expected at least one")


def divergence(q: Code, p: Code) -> Tensor:
    """Return KL(q || p) of diagonal Gaussians, summed over their numbers, (...)."""
    ratio = q.deviation / p.deviation
    apart = (q.mean - p.mean) / p.deviation
    each = ratio.square() + apart.square() - 1.0 - 2.0 * ratio.log()
    return 0.5 * each.sum(dim=-1)
