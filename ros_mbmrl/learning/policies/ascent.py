"""Gradient ascent by Adam (Kingma and Ba 2015) on a policy's parameters, resumed to the bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from ros_mbmrl.learning.models.learner import moments_of, restore_moments
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import Parameters


class Ascent:
    """Adam, whose moments stay from call to call."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._live: Parameters = {}
        self._adam: torch.optim.Adam | None = None
        self._found: dict[str, Tensor] = {}  # moments of a snapshot, until the next call

    def climb(
        self, start: Parameters, objective: Callable[[Parameters], Tensor], steps: int = 1
    ) -> Parameters:
        """Return the parameters after `steps` steps that make `objective` larger.

        A step whose gradient is not finite is left out.
        """
        adam = self._at(start)
        for _ in range(steps):
            values = list(self._live.values())
            gradients = torch.autograd.grad(objective(self._live), values)
            if not all(bool(each.isfinite().all()) for each in gradients):
                continue
            for value, gradient in zip(values, gradients, strict=True):
                value.grad = -gradient
            adam.step()
        return {name: value.detach().clone() for name, value in self._live.items()}

    def snapshot(self) -> dict[str, Tensor]:
        """Return the moments, under `outer/`."""
        told = {} if self._adam is None else moments_of(self._adam, self._live)
        return tensor_file.flatten("outer", told or self._found)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot."""
        self._adam, self._found = None, tensor_file.unflatten("outer", tensors)

    def _at(self, start: Parameters) -> torch.optim.Adam:
        if self._adam is None:
            self._live = {n: value.detach().clone().requires_grad_() for n, value in start.items()}
            self._adam = torch.optim.Adam(self._live.values(), lr=self._rate)
            restore_moments(self._adam, self._live, self._found)
        with torch.no_grad():
            for name, value in start.items():
                self._live[name].copy_(value)
        return self._adam
