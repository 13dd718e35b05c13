"""Learner of contextual models: the evidence lower bound, eq. 9 and 10.

Wang and van Hoof, *Model-based Meta Reinforcement Learning using Graph Structured Surrogate
Models*, section 4.2. Context and targets are different rows of one task.

The output's variance is learned, one for each output. The paper does not say its own. A fixed one
decides how much information about the task is worth its divergence, and no number suits systems
with little noise and with much: where it is too large, z tells nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.adaptation.l2a import L2A
from ros_mbmrl.adaptation.latent import LatentRule
from ros_mbmrl.dynamics.latent.base import Code, Context, Rows, divergence, rows_of
from ros_mbmrl.dynamics.latent.dropout import DropoutModel
from ros_mbmrl.dynamics.latent.encoders import Encoder, decode, joined
from ros_mbmrl.dynamics.latent.model import LatentModel
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.learner import (
    AdamWLearner,
    Model,
    ModelLearner,
    Settings,
    Store,
    meta_gradient,
)
from ros_mbmrl.learning.models.objective import ByAutograd, Gradient
from ros_mbmrl.learning.run import LEARNED, Progress, cosine, silent
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.noise import log_variance
from ros_mbmrl.robots.spec import Robot

# Parameters, context, targets, generator of the particles, weight of the divergence -> the mean
# loss of the tasks, ().
Loss = Callable[[Parameters, Support, Support, Generator, float], Tensor]
Contextual = LatentModel | DropoutModel | L2A


class TaskData(NamedTuple):
    """All transitions of one task, raw, SI units: states, following (M, ds), actions (M, da)."""

    states: Tensor
    actions: Tensor
    following: Tensor


@dataclass(frozen=True)
class ElboConfig:
    """Settings of a fit.

    Args:
        steps: updates.
        batch: tasks an update.
        context: least and most transitions of a context; the number is drawn for each task.
        targets: transitions of a task that are predicted.
        particles: K of eq. 10.
        learning_rate, weight_decay, gradient_limit, noise: see `TrainConfig`.
        every: updates between two reports of progress.
    """

    steps: int = 2000
    batch: int = 16
    context: tuple[int, int] = (1, 50)
    targets: int = 50
    particles: int = 1
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    gradient_limit: float = 10.0
    noise: float = 0.0
    every: int = 100

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "targets", "particles", "every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")
        if not 1 <= self.context[0] <= self.context[1]:
            raise ValueError(f"context: expected 1 <= least <= most, got {self.context}")
        if not (self.learning_rate > 0 and self.gradient_limit > 0):
            raise ValueError("learning_rate, gradient_limit: expected numbers above 0")
        if self.weight_decay < 0 or self.noise < 0:
            raise ValueError("weight_decay, noise: expected at least 0")


class TaskSampler:
    """Draws contexts and targets of tasks; see `Store`.

    Args:
        robot, normalizer: of the model.
        tasks: at least one, each with at least two transitions.
        config: how many of them.

    Raises:
        UserError: no task, or one with too few transitions.
    """

    def __init__(
        self, robot: Robot, normalizer: Normalizer, tasks: Sequence[TaskData], config: ElboConfig
    ) -> None:
        if not tasks or min(len(task.actions) for task in tasks) < 2:
            raise UserError("tasks: expected at least one, of at least 2 transitions each")
        self._config = config
        self._counts = [len(task.actions) for task in tasks]
        self._firsts = torch.tensor([0, *self._counts[:-1]]).cumsum(0)
        states, actions, following = (torch.cat(each)[None] for each in zip(*tasks, strict=True))
        weight = torch.ones(1, sum(self._counts))
        rows = rows_of(
            robot,
            normalizer,
            Context(states, actions, following, weight),
        )
        self._x, self._y = rows.x[0], rows.y[0]
        weights = self._y.new_tensor(robot.spec.change_weights)
        self._scale = weights / weights.mean()

    def draw(self, model: Model, count: int, generator: Generator) -> tuple[Support, Support]:
        """Draw `count` tasks, with a context and targets of each."""
        least, most = self._config.context
        length = most + self._config.targets
        picked = torch.randint(len(self._counts), (count,), generator=generator).tolist()
        rows = torch.stack([self._rows(task, length, generator) for task in picked])
        lengths = torch.randint(least, most + 1, (count, 1), generator=generator)
        weight = (torch.arange(most) < lengths).float()[..., None]
        x, y = self._x[rows], self._y[rows]
        past = Support(x[:, :most], y[:, :most], weight, self._scale)
        kept = torch.ones(count, self._config.targets, 1)
        return past, Support(x[:, most:], y[:, most:], kept, self._scale)

    def _rows(self, task: int, length: int, generator: Generator) -> Tensor:
        """Return `length` rows of a task in any order; some again where it has not as many."""
        order = torch.randperm(self._counts[task], generator=generator)
        return self._firsts[task] + order.repeat(-(-length // len(order)))[:length]


class ElboLearner(AdamWLearner[Model]):
    """A learner whose loss is an expectation over particles; see `AdamWLearner`.

    Args:
        model: on the CPU or on a device.
        loss: of contexts and targets.
        parameters: to begin with.
        config: batch, rates and limits.
    """

    def __init__(self, model: Model, loss: Loss, parameters: Parameters, config: Settings) -> None:
        super().__init__(model, parameters, config)
        self._mlp, self._loss = model.mlp, loss

    def gradient(self, generator: Generator) -> Gradient:
        """See `AdamWLearner.gradient`: the particles of all parts of a batch are of one stream."""
        seed = int(torch.randint(2**31, (), generator=generator))
        own = Generator().manual_seed(seed)
        warmth = min(1.0, 2.0 * (1.0 - self.rate))  # 1 once the rate has fallen to a half

        def loss(parameters: Parameters, past: Support, future: Support) -> Tensor:
            return self._loss(parameters, past, future, own, warmth)

        return ByAutograd(self._mlp, loss)


def latent_loss(
    encoder: Encoder,
    mlp: MLP,
    particles: int,
    parameters: Parameters,
    past: Support,
    future: Support,
    generator: Generator,
    warmth: float = 1.0,
) -> Tensor:
    """Return eq. 10 a target, the mean over tasks, without its constant.

    warmth: weight of the divergence, which grows to 1 during training (Sonderby et al., *Ladder
    Variational Autoencoders*, 2016): with all of it from the start, z may never be heeded.

    GSSM's approximate posterior is eq. 7, with a divergence for each target; that of a neural
    process sees the targets' outcomes, and has one divergence for all targets of a task.
    """
    context, target = (Rows(part.x, part.y, part.weight) for part in (past, future))
    looked = encoder.look(mlp, parameters, context)
    posterior, local = encoder.at(parameters, looked, target.x)
    share = target.share[..., 0]
    if encoder.targets:
        both = Rows(*(torch.cat(pair, dim=1) for pair in zip(context, target, strict=True)))
        posterior = Code(*(part[:, None] for part in encoder.look(mlp, parameters, both).code))
        share = 1.0 / target.weight.sum(dim=1).clamp_min(1.0)
    prior = Code(*(part[:, None] for part in looked.code))
    apart = (divergence(posterior, prior) * share).sum(dim=1)
    noise = torch.randn(particles, *posterior.mean.shape, generator=generator)
    read = joined(posterior.at(noise.to(target.x)), local)
    outputs = decode(mlp, parameters, target.x, read.flatten(0, 1))
    outputs = outputs.view(particles, *future.y.shape)
    fit = negative_log_likelihood(parameters, outputs, future)
    return (fit.mean(dim=0) + warmth * apart).mean()


def dropout_loss(
    model: DropoutModel,
    parameters: Parameters,
    past: Support,
    future: Support,
    generator: Generator,
    warmth: float = 1.0,
) -> Tensor:
    """Return the negative log-likelihood under one draw of masks for each row."""
    masks = model.masks(future.x.shape[:2], generator)
    outputs = model.forward(parameters, future.x, masks)
    return negative_log_likelihood(parameters, outputs, future).mean()


def negative_log_likelihood(parameters: Parameters, outputs: Tensor, future: Support) -> Tensor:
    """Return that of targets, the mean over a task's, without its constant, (..., N).

    outputs: means (..., N, T, outputs).
    """
    logs = log_variance(parameters)
    each = (outputs - future.y).square() * (-logs).exp() + logs
    return ((0.5 * each * future.scale).sum(dim=-1) * future.share[..., 0]).sum(dim=-1)


def fit_contextual(
    model: Contextual,
    parameters: Parameters,
    tasks: Sequence[TaskData],
    config: ElboConfig,
    generator: Generator,
    progress: Progress = silent,
) -> Parameters:
    """Fit a contextual model to transitions of tasks.

    Args:
        model: GSSM, MLSM, M-DPILCO or L2A.
        parameters: to begin with.
        tasks: training data; they may grow from call to call.
        config: settings.
        generator: of what is drawn.
        progress: told every so many updates.

    Returns:
        The parameters after the last update.

    Raises:
        UserError: no task, or one with too few transitions.
    """
    store: Store[Model] = TaskSampler(model.robot, model.normalizer, tasks, config)
    learner = learner_of(model, parameters, config)
    for step in range(config.steps):
        learner.rate = cosine(step, config.steps)
        scalars = learner.update(store, generator)
        if (step + 1) % config.every == 0 or step + 1 == config.steps:
            progress("model", step + 1, config.steps, scalars)
    learned = tensor_file.unflatten(LEARNED, learner.snapshot())
    return {name: value.clone() for name, value in learned.items()}


def learner_of(
    model: Contextual, parameters: Parameters, config: ElboConfig
) -> AdamWLearner[Model]:
    """Return the learner of a contextual model."""
    match model:
        case LatentModel():
            loss: Loss = partial(latent_loss, model.encoder, model.mlp, config.particles)
        case DropoutModel():
            loss = partial(dropout_loss, model)
        case L2A():
            gradient = meta_gradient(model.mlp, model.rule)
            return ModelLearner(model, gradient, parameters, config)
    return ElboLearner(model, loss, parameters, config)


def by_elbo(
    rule: UpdateRule, model: DynamicsModel, parameters: Parameters, config: TrainConfig
) -> ElboLearner:
    """Return the learner of an update rule with a latent variable; see `MakeLearner`."""
    assert isinstance(rule, LatentRule)
    loss = partial(latent_loss, rule.encoder, model.mlp, rule.particles)
    return ElboLearner(model, loss, parameters, config)
