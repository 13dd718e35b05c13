"""Contextual models of growing data: what is made first, and the fit of each iteration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Generator

from ros_mbmrl.adaptation.l2a import L2A
from ros_mbmrl.dynamics.latent.dropout import DropoutModel
from ros_mbmrl.dynamics.latent.encoders import Encoder
from ros_mbmrl.dynamics.latent.model import LatentModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.learning.models.elbo import Contextual, ElboConfig, TaskData, fit_contextual
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.latent_files import ENCODERS
from ros_mbmrl.robots.spec import Robot

DROPOUT, GRADIENT = "m_dpilco", "l2a"
KINDS = (*ENCODERS, DROPOUT, GRADIENT)


@dataclass(frozen=True)
class LatentConfig:
    """Sizes of the encoder, see `Encoder`; those of table 4 of Wang and van Hoof."""

    size: int = 16
    hidden: int = 32
    depth: int = 2
    keys: int = 32
    temperature: float = 1.0

    def __post_init__(self) -> None:
        self.encoder("gssm")  # says what is wrong

    def encoder(self, kind: str) -> Encoder:
        """Return the encoder of a model with a latent variable."""
        return ENCODERS[kind](self.size, self.hidden, self.depth, self.keys, self.temperature)


@dataclass(frozen=True)
class ContextualModelConfig:
    """Settings of a contextual model.

    hidden, activation: of the network that predicts. dropout: of M-DPILCO. first: updates of the
    first fit, and of those after the normalisation changed. latent: of models with z. fit: of later
    fits, and what is drawn for all of them.
    """

    hidden: tuple[int, ...] = (200, 200)
    activation: str = "silu"
    dropout: float = 0.05
    first: int = 600
    latent: LatentConfig = field(default_factory=LatentConfig)
    fit: ElboConfig = field(default_factory=lambda: ElboConfig(steps=200, weight_decay=1e-5))

    def __post_init__(self) -> None:
        if self.first < 1 or not self.hidden:
            raise ValueError(f"first, hidden: expected some, got {self.first} and {self.hidden}")
        MLP((1, *self.hidden, 1), self.activation)  # says what is wrong


@dataclass(frozen=True)
class Fitted:
    """A contextual model. rows: transitions that its normalisation is of."""

    model: Contextual
    parameters: Parameters
    rows: int


def new_contextual(
    kind: str, robot: Robot, normalizer: Normalizer, config: ContextualModelConfig
) -> Contextual:
    """Return a contextual model of one of `KINDS`."""
    spec = robot.spec
    inputs = len(spec.features) + len(spec.action)
    mlp = MLP((inputs, *config.hidden, len(spec.changes)), config.activation)
    if kind == DROPOUT:
        return DropoutModel(robot, mlp, normalizer, config.dropout)
    if kind == GRADIENT:
        return L2A(robot, mlp, normalizer)
    return LatentModel(robot, config.latent.encoder(kind), mlp, normalizer)


def normalizer_of(robot: Robot, tasks: Sequence[TaskData]) -> Normalizer:
    """Return the normalisation of all transitions of tasks."""
    states, actions, following = (torch.cat(part) for part in zip(*tasks, strict=True))
    inputs = torch.cat([robot.features(states), actions], dim=-1)
    return Normalizer.fit(inputs, robot.difference(states, following))


def fitted(
    kind: str,
    robot: Robot,
    tasks: Sequence[TaskData],
    config: ContextualModelConfig,
    known: Fitted | None,
    generator: Generator,
) -> Fitted:
    """Return the model after another fit to all transitions of all tasks so far.

    A fit goes on from the parameters of the one before. Whenever the transitions have doubled, the
    model is normalised anew, and the fit is as long as the first one.
    """
    rows, fit = sum(len(task.states) for task in tasks), config.fit
    if known is None or rows >= 2 * known.rows:
        model = new_contextual(kind, robot, normalizer_of(robot, tasks), config)
        start = model.init(generator) if known is None else known.parameters
        known, fit = Fitted(model, start, rows), replace(fit, steps=config.first)
    parameters = fit_contextual(known.model, known.parameters, tasks, fit, generator)
    return Fitted(known.model, parameters, known.rows)
