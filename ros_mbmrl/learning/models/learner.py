"""The learner of dynamics models: AdamW on the gradient of a loss over segments."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Generic, Protocol, TypeVar

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.meta_gradient import MetaGradient
from ros_mbmrl.learning.models.objective import ByAutograd, Gradient, meta_loss, supervised_loss
from ros_mbmrl.learning.run import LEARNED, Learner
from ros_mbmrl.learning.segments import SegmentSampler
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.groups import group_of
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.plugins import expected, imported
from ros_mbmrl.robots.spec import Robot

# The rule with its options, the model on its device, the parameters to begin with (the rule's own
# among them), settings -> the learner.
MakeLearner = Callable[
    [UpdateRule, DynamicsModel, Parameters, TrainConfig], Learner[SegmentSampler]
]


class Settings(Protocol):
    """Settings of a learner; see `TrainConfig`."""

    @property
    def batch(self) -> int:
        """Segments a step."""

    @property
    def noise(self) -> float:
        """Deviation of the noise on normalised inputs."""

    @property
    def learning_rate(self) -> float:
        """Rate of the optimiser."""

    @property
    def weight_decay(self) -> float:
        """Decay of the optimiser."""

    @property
    def gradient_limit(self) -> float:
        """Largest norm of a gradient."""


class Model(Protocol):
    """A model as a learner knows it."""

    @property
    def robot(self) -> Robot:
        """Robot that is modelled."""

    @property
    def mlp(self) -> MLP:
        """Shape of the network."""

    @property
    def normalizer(self) -> Normalizer:
        """Statistics of inputs and changes."""


M = TypeVar("M", bound=Model)
C = TypeVar("C", bound=Model, contravariant=True)


class Store(Protocol[C]):
    """A source of pairs of past and future transitions."""

    def draw(self, model: C, count: int, generator: Generator) -> tuple[Support, Support]:
        """Draw `count` pairs."""


class AdamWLearner(ABC, Generic[M]):
    """Minimise a loss of past and future segments over the parameters that are trained.

    Args:
        model: on the device that is computed on.
        parameters: to begin with.
        config: batch, rates and limits.
    """

    def __init__(self, model: M, parameters: Parameters, config: Settings) -> None:
        self.rate = 1.0
        self._model, self._config = model, config
        device = model.normalizer.input_mean.device
        self._live = {
            name: value.to(device, copy=True).requires_grad_(group_of(name).trained)
            for name, value in sorted(parameters.items())  # a file keeps no other order
        }
        self._trained = {name: value for name, value in self._live.items() if value.requires_grad}
        self.optimiser = optimiser_of(self._trained, config)

    def update(self, store: Store[M], generator: Generator) -> dict[str, float]:
        """Draw segments and take one step; return their loss and the norm of its gradient."""
        segments = store.draw(self._model, self._config.batch, generator)
        past, future = (self._noisy(part, generator) for part in segments)
        loss, found = self.gradient(generator)(self._live, past, future)
        for name, value in self._trained.items():
            value.grad = found.get(name)
        limit = self._config.gradient_limit
        norm = torch.nn.utils.clip_grad_norm_(list(self._trained.values()), limit)
        for group in self.optimiser.param_groups:
            group["lr"] = group["initial_lr"] * self.rate
        if torch.isfinite(norm):  # several inner steps can explode: that batch is left out
            self.optimiser.step()
        return {"loss": float(loss), "gradient": float(norm)}

    @abstractmethod
    def gradient(self, generator: Generator) -> Gradient:
        """Return the gradient for one update; the generator is for a loss that needs noise."""

    def snapshot(self) -> dict[str, Tensor]:
        """Return the parameters and the optimiser's moments."""
        learned = {name: value.detach() for name, value in self._live.items()}
        tensors = tensor_file.flatten(LEARNED, learned)
        return tensors | moments_of(self.optimiser, self._trained)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot."""
        with torch.no_grad():
            for name, value in tensor_file.unflatten(LEARNED, tensors).items():
                self._live[name].copy_(value)
        restore_moments(self.optimiser, self._trained, tensors)

    def _noisy(self, support: Support, generator: Generator) -> Support:
        if self._config.noise == 0.0:
            return support
        noise = torch.randn(support.x.shape, generator=generator).to(support.x)
        return replace(support, x=support.x + self._config.noise * noise)


class ModelLearner(AdamWLearner[M]):
    """A learner whose gradient is the same function in all updates; see `AdamWLearner`.

    gradient: of the loss, see `supervised_gradient` and `meta_gradient`.
    """

    def __init__(
        self, model: M, gradient: Gradient, parameters: Parameters, config: Settings
    ) -> None:
        super().__init__(model, parameters, config)
        self._gradient = gradient

    def gradient(self, generator: Generator) -> Gradient:
        """See `AdamWLearner.gradient`."""
        return self._gradient


def moments_of(optimiser: torch.optim.Optimizer, trained: Parameters) -> dict[str, Tensor]:
    """Return the optimiser's moments of parameters, by their names."""
    found: dict[str, Tensor] = {}
    for name, value in trained.items():
        found |= tensor_file.flatten(f"adam/{name}", optimiser.state[value])
    return found


def restore_moments(
    optimiser: torch.optim.Optimizer, trained: Parameters, tensors: Mapping[str, Tensor]
) -> None:
    """Give the optimiser the moments that `moments_of` told."""
    for name, value in trained.items():
        moments = tensor_file.unflatten(f"adam/{name}", tensors)
        if moments:  # none before the first step that was not left out
            step = moments.pop("step")  # stays on the CPU
            moved = {key: moment.to(value.device) for key, moment in moments.items()}
            optimiser.state[value] = {"step": step, **moved}


def optimiser_of(trained: Parameters, config: Settings) -> torch.optim.AdamW:
    """Return the optimiser of parameters, each with the rate and the decay of its group.

    Raises:
        ValueError: a parameter belongs to no group.
    """
    alike: dict[tuple[float, bool], list[Tensor]] = {}
    for name, value in trained.items():
        group = group_of(name)
        alike.setdefault((group.rate, group.decayed), []).append(value)
    rate, decay = config.learning_rate, config.weight_decay
    groups = [
        {"params": values, "initial_lr": rate * relative, "weight_decay": decay if decayed else 0}
        for (relative, decayed), values in alike.items()
    ]
    return torch.optim.AdamW(groups, lr=rate)


def by_supervised_fit(
    model: DynamicsModel, parameters: Parameters, config: TrainConfig
) -> ModelLearner[DynamicsModel]:
    """Return the learner of the supervised fit."""
    gradient = supervised_gradient(model.mlp, _dtype(config))
    return ModelLearner(model, gradient, parameters, config)


def by_meta_gradient(
    rule: UpdateRule, model: DynamicsModel, parameters: Parameters, config: TrainConfig
) -> ModelLearner[DynamicsModel]:
    """Return the learner of eq. 22; see `MakeLearner`."""
    gradient = meta_gradient(model.mlp, rule, _dtype(config))
    return ModelLearner(model, gradient, parameters, config)


def learner_called(value: str) -> MakeLearner:
    """Return what makes the learner that a method names as `module:object`.

    Raises:
        UserError: it cannot be imported, or is nothing to be called.
    """
    make: MakeLearner = imported(value)
    expected(value, "a class or function that makes a learner", callable(make), make)
    return make


def supervised_gradient(mlp: MLP, dtype: torch.dtype | None = None) -> Gradient:
    """Return the gradient of the supervised fit."""
    return ByAutograd(mlp, partial(supervised_loss, mlp), dtype)


def meta_gradient(mlp: MLP, rule: UpdateRule, dtype: torch.dtype | None = None) -> Gradient:
    """Return the gradient of eq. 22 through a rule: by hand where it descends, else by autograd."""
    if (descent := rule.descent) is not None:
        return MetaGradient(mlp, descent, dtype)
    return ByAutograd(mlp, partial(meta_loss, mlp, rule), dtype)


def _dtype(config: TrainConfig) -> torch.dtype | None:
    return torch.bfloat16 if config.precision == "bfloat16" else None
