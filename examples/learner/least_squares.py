"""A learner from outside: the last layer by least squares over all rows that were drawn.

`pip install -e .`, then `mbmrl train least_squares ROBOT ...` and `method:=least_squares`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from ros_mbmrl.adaptation.base import UpdateRule
from ros_mbmrl.adaptation.prior import Prior
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.run import LEARNED
from ros_mbmrl.learning.segments import SegmentSampler
from ros_mbmrl.methods.method import Look, Method
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import Parameters
from torch import Generator, Tensor

METHOD = Method(
    "least_squares",
    Look("least squares", "#009e73", marker="h"),
    rule="least_squares:LeastSquares",
    learner="least_squares:LastLayerLearner",
)


@dataclass(frozen=True)
class LeastSquares(Prior):
    """Predict with the model as it was learned; its field is the option of the learner.

    Args:
        ridge: how many rows of each feature the supervised fit counts as, above 0.
    """

    ridge: float = 10.0

    def __post_init__(self) -> None:
        if not self.ridge > 0:
            raise ValueError(f"ridge: expected a number above 0, got {self.ridge}")


class LastLayerLearner:
    """Solve for the last layer, W and b, on the features h of the layers before, which stay.

    With h = (last hidden layer, 1), it minimises the sum of |h (W, b) - y|^2 over all rows so far
    plus ridge |(W, b) - (W, b) at the beginning|^2. No gradient, and no learning rate.

    Args:
        rule: holds the ridge.
        model: on the device that is computed on.
        parameters: to begin with, as the supervised fit left them.
        config: says how many segments are drawn for an update.
    """

    def __init__(
        self, rule: UpdateRule, model: DynamicsModel, parameters: Parameters, config: TrainConfig
    ) -> None:
        assert isinstance(rule, LeastSquares)
        self.rate = 1.0  # set by the run; least squares have no use for it
        self._model, self._batch = model, config.batch
        device, last = model.normalizer.input_mean.device, model.mlp.layers - 1
        self._names = f"w{last}", f"b{last}"
        self._live = {name: value.to(device) for name, value in parameters.items()}
        weight, bias = (self._live[name] for name in self._names)
        start = torch.cat([weight, bias[None]]).double()
        # Sums over rows of h^T h and h^T y, and the beginning as if it were rows, too.
        self._features = rule.ridge * torch.eye(len(start), dtype=torch.float64, device=device)
        self._products = rule.ridge * start

    def update(self, store: SegmentSampler, generator: Generator) -> dict[str, float]:
        """Draw segments, add their rows, solve; return the mean squared error before on them."""
        mlp, total, rows = self._model.mlp, 0.0, 0.0
        for part in store.draw(self._model, self._batch, generator):
            outputs, inputs, _ = part.forward(mlp, self._live, mlp.no_update)
            h = torch.cat([inputs[-1], torch.ones_like(part.weight)], dim=-1)
            counted = (part.weight * h).flatten(0, 1).double().mT
            self._features += counted @ h.flatten(0, 1).double()
            self._products += counted @ part.y.flatten(0, 1).double()
            error = (outputs - part.y).square().mean(dim=-1, keepdim=True)
            total += float((part.weight * error).sum())
            rows += float(part.weight.sum())
        solved = torch.linalg.solve(self._features, self._products).float()
        self._live |= dict(zip(self._names, (solved[:-1], solved[-1]), strict=True))
        return {"loss": total / max(rows, 1.0)}

    def snapshot(self) -> dict[str, Tensor]:
        """Return the parameters and the sums."""
        sums = {"features": self._features.clone(), "products": self._products.clone()}
        return {**tensor_file.flatten(LEARNED, self._live), **sums}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot."""
        device = self._features.device
        learned = tensor_file.unflatten(LEARNED, tensors)
        self._live = {name: value.to(device) for name, value in learned.items()}
        self._features = tensors["features"].to(device, copy=True)
        self._products = tensors["products"].to(device, copy=True)
