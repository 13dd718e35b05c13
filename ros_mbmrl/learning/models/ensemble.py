"""The learner of ensembles: each member on a bootstrap of all transitions, in batched products."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.learner import moments_of, restore_moments
from ros_mbmrl.learning.run import LEARNED
from ros_mbmrl.learning.segments import SegmentSampler
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.ensemble import Ensemble, split, stacked
from ros_mbmrl.networks.groups import network_of
from ros_mbmrl.networks.mlp import Parameters


class EnsembleLearner:
    """Minimise each member's squared error over rows of its own; see `Learner`.

    A member's data are as many rows as there are, drawn with replacement (Efron 1979), the same
    ones in every update.

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
        network = network_of(parameters)
        self._rest = {name: v.to(device) for name, v in parameters.items() if name not in network}
        self._live = {
            name: value.to(device).clone().requires_grad_(True)
            for name, value in sorted(stacked(parameters).items())
        }
        self._optimiser = torch.optim.AdamW(
            list(self._live.values()), lr=config.learning_rate, weight_decay=config.weight_decay
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
        error = self._mlp.forward_each(self._live, x) - y
        loss = (error.square() * self._scale).mean(dim=(1, 2)).sum()
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
        learned = split({name: value.detach() for name, value in self._live.items()}) | self._rest
        tensors = tensor_file.flatten(LEARNED, {k: v.contiguous() for k, v in learned.items()})
        return tensors | moments_of(self._optimiser, self._live)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot."""
        learned = tensor_file.unflatten(LEARNED, tensors)
        with torch.no_grad():
            for name, value in stacked(learned).items():
                self._live[name].copy_(value)
        restore_moments(self._optimiser, self._live, tensors)

    def _begin(self, store: SegmentSampler) -> None:
        """Take all rows, and draw the bootstraps: the same after a checkpoint."""
        self._rows = store.every_row(self._model)
        count = len(self._rows[0])
        generator = Generator().manual_seed(self._config.seed)
        self._bootstrap = torch.randint(count, (self._mlp.members, count), generator=generator)
