"""The learner of ensembles: each member on a bootstrap of all transitions, in batched products."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.learner import moments_of, restore_moments
from ros_mbmrl.learning.run import LEARNED
from ros_mbmrl.learning.segments import SegmentSampler
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.ensemble import Ensemble, split, stacked
from ros_mbmrl.networks.gaussian import (
    bounds_penalty,
    heads_of,
    likelihood_loss,
    log_variances,
    split_heads,
)
from ros_mbmrl.networks.groups import VARIANCE, fitted_of
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.networks.weight_normalisation import weights_of, with_gains

BOUNDS = ("variance.low", "variance.high")


class EnsembleLearner:
    """Minimise each member's loss over rows of its own; see `Learner`.

    The loss is the squared error, or with Gaussian heads the negative log-likelihood. A member's
    data are as many rows as there are, drawn with replacement (Efron 1979), the same ones in every
    update.

    Args:
        model: whose network is an ensemble, on the device that is computed on.
        parameters: to begin with; a rule's own stay as they are.
        config: rows, rates and limits.
    """

    def __init__(self, model: DynamicsModel, parameters: Parameters, config: TrainConfig) -> None:
        assert isinstance(model.mlp, Ensemble)
        self.rate = 1.0
        self._model, self._mlp, self._config = model, model.mlp, config
        device = model.normalizer.input_mean.device
        fitted = fitted_of(parameters)
        self._rest = {name: v.to(device) for name, v in parameters.items() if name not in fitted}
        begin = self._stack(parameters)
        self._live = {
            name: value.to(device).clone().requires_grad_(True)
            for name, value in sorted(
                (with_gains(begin) if config.weight_normalisation else begin).items()
            )
        }
        bounds = [value for name, value in self._live.items() if name in BOUNDS]
        others = [value for name, value in self._live.items() if name not in BOUNDS]
        groups: list[dict[str, Any]] = [{"params": others}]
        if bounds:  # decay would pull them to a variance of 1
            groups.append({"params": bounds, "weight_decay": 0.0})
        self._optimiser = torch.optim.AdamW(
            groups, lr=config.learning_rate, weight_decay=config.weight_decay
        )
        weights = model.robot.spec.change_weights
        self._scale = torch.tensor(weights, device=device) / (sum(weights) / len(weights))
        self._rows: tuple[Tensor, Tensor] | None = None
        self._bootstrap = torch.zeros(0, dtype=torch.long)

    def update(self, store: SegmentSampler, generator: Generator) -> dict[str, float]:
        """Draw rows for each member and take one step; return the members' mean loss."""
        if self._rows is None:
            self._begin(store)
        assert self._rows is not None
        members, config = self._mlp.members, self._config
        pick = torch.randint(self._bootstrap.shape[1], (members, config.rows), generator=generator)
        rows = self._bootstrap.gather(1, pick)
        x, y = (each[rows] for each in self._rows)
        if config.noise:
            x = x + config.noise * torch.randn(x.shape, generator=generator).to(x)
        loss = self._loss(x, y)
        self._optimiser.zero_grad()
        torch.autograd.backward(loss)
        limit = config.gradient_limit * members**0.5
        norm = torch.nn.utils.clip_grad_norm_(list(self._live.values()), limit)
        for group in self._optimiser.param_groups:
            group["lr"] = config.learning_rate * self.rate
        if torch.isfinite(norm):
            self._optimiser.step()
        return {"loss": float(loss.detach()) / members, "gradient": float(norm)}

    def snapshot(self) -> dict[str, Tensor]:
        """Return the parameters and the optimiser's moments."""
        raw = {name: value.detach() for name, value in self._live.items()}
        live = weights_of(raw)
        heads = VARIANCE.part(live)
        learned = split({name: value for name, value in live.items() if "." not in name})
        learned |= (split_heads(heads) if heads else {}) | self._rest
        tensors = tensor_file.flatten(LEARNED, {k: v.contiguous() for k, v in learned.items()})
        if self._config.weight_normalisation:
            tensors |= tensor_file.flatten("raw", raw)
        return tensors | moments_of(self._optimiser, self._live)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot."""
        raw = tensor_file.unflatten("raw", tensors)
        with torch.no_grad():
            found = raw or self._stack(tensor_file.unflatten(LEARNED, tensors))
            for name, value in found.items():
                self._live[name].copy_(value)
        restore_moments(self._optimiser, self._live, tensors)

    def _loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the sum of the members' losses. x: (E, R, inputs), y: (E, R, outputs)."""
        outputs, hidden = self._mlp.forward_hidden(weights_of(self._live), x)
        error = outputs - y
        if not self._mlp.gaussian:
            return (error.square() * self._scale).mean(dim=(1, 2)).sum()
        heads = VARIANCE.part(self._live)
        logs = log_variances(heads, hidden)
        if not logs.isfinite().all():
            raise UserError(
                "head gaussian: a predicted variance is not finite: expected finite data, and a "
                f"learning_rate below {self._config.learning_rate:g}"
            )
        fit = (likelihood_loss(error, logs) * self._scale).mean(dim=(1, 2)).sum()
        return fit + bounds_penalty(heads)

    def _stack(self, parameters: Parameters) -> Parameters:
        """Return all that is trained: the stacked networks, and their heads if there are any."""
        if not self._mlp.gaussian:
            return stacked(parameters)
        heads = heads_of(parameters, range(self._mlp.members))
        return stacked(parameters) | VARIANCE.named(heads)

    def _begin(self, store: SegmentSampler) -> None:
        """Take all rows, and draw the bootstraps: the same after a checkpoint."""
        self._rows = store.every_row(self._model)
        count = len(self._rows[0])
        if count < self._mlp.members:
            raise UserError(
                f"members: expected at most {count}, as many as there are transitions to train "
                f"on, got {self._mlp.members}"
            )
        generator = Generator().manual_seed(self._config.seed)
        self._bootstrap = torch.randint(count, (self._mlp.members, count), generator=generator)
