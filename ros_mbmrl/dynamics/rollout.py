"""Fast roll-out of a plain network: work that all candidates of a plan share is done once.

Normalisation is folded into the outer layers, the layers' results lie in buffers that every plan
uses again, and activations are computed in place. Exact but for rounding.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks import attention
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots.spec import Robot


class Buffers:
    """Memory for the results of layers, kept because new megabytes cost more time than a layer."""

    def __init__(self) -> None:
        self._held: list[Tensor] = []

    def of(
        self, rows: int, sizes: Sequence[int], dtype: torch.dtype, device: torch.device
    ) -> list[Tensor]:
        """Return a tensor (rows, size) for each of `sizes`; its contents are undefined."""
        held = self._held
        fits = [each.shape[1] for each in held] == list(sizes)
        fits = fits and held[0].dtype is dtype and held[0].device == device
        if not fits or held[0].shape[0] < rows:
            self._held = [torch.empty(rows, size, dtype=dtype, device=device) for size in sizes]
        if self._held[0].shape[0] == rows:
            return self._held
        return [each[:rows] for each in self._held]


class Rollout:
    """A roll-out: states (..., ds), actions (..., H, da) -> states (..., H+1, ds).

    Args:
        parameters: one set for all; or some of them (N, ...), for states (N, K, ds) of N tasks.
        dtype: of the network's products and activations; everything else is float32.
        buffers: must not be in use elsewhere at the same time.
    """

    def __init__(
        self,
        robot: Robot,
        mlp: MLP,
        normalizer: Normalizer,
        parameters: Parameters,
        dtype: torch.dtype,
        buffers: Buffers,
    ) -> None:
        self._robot, self._normalizer = robot, normalizer
        self._network = _Network(mlp, normalizer, parameters, dtype, buffers)
        self._reach = normalizer.clip * normalizer.input_std

    @torch.inference_mode()
    def __call__(self, state: Tensor, actions: Tensor) -> Tensor:
        """Roll out `actions` from `state`; see the class."""
        mean, reach = self._normalizer.input_mean, self._reach
        inputs = actions.new_empty(*actions.shape[:-2], len(mean))
        states = [state]
        for h, step in enumerate(actions.unbind(-2)):
            torch.cat([self._robot.features(states[-1]), step], dim=-1, out=inputs)
            torch.clamp(inputs.sub_(mean), -reach, reach, out=inputs)
            states.append(self._robot.advance(states[-1], self._change(inputs, h)))
        return torch.stack(states, dim=-2)

    def _change(self, inputs: Tensor, step: int) -> Tensor:
        """Return the changes (..., dc) for centred, clipped inputs (..., inputs) of a step."""
        return self._network(inputs) + self._normalizer.change_mean


class _Network:
    """Network from centred, clipped inputs (..., inputs) to changes (..., outputs) less their mean.

    The next call overwrites the returned values. `hidden`: the last call's inputs of the last
    layer, (R, hidden).
    """

    def __init__(
        self,
        mlp: MLP,
        normalizer: Normalizer,
        parameters: Parameters,
        dtype: torch.dtype,
        buffers: Buffers,
    ) -> None:
        layers = [[parameters[f"{part}{k}"] for part in "wb"] for k in range(mlp.layers)]
        layers[0][0] = layers[0][0] / normalizer.input_std[:, None]
        layers[-1] = [part * normalizer.change_std for part in layers[-1]]
        self._layers = [(weight.to(dtype), bias.to(dtype)) for weight, bias in layers]
        self._attention = attention.attended(parameters)
        if self._attention is not None:
            self._query = {
                name: value / normalizer.input_std[:, None] if name.endswith("w") else value
                for name, value in attention.network_of(parameters).items()
            }
        self._act, self._dtype = mlp.act_, dtype
        self._sizes, self._buffers = mlp.sizes[1:], buffers

    def __call__(self, x: Tensor) -> Tensor:
        h, last = x.to(self._dtype).flatten(0, -2), len(self._layers) - 1
        results = self._buffers.of(h.shape[0], self._sizes, self._dtype, x.device)
        for k, ((weight, bias), out) in enumerate(zip(self._layers, results, strict=True)):
            self.hidden = h
            h = _layer(weight, bias, h, out)
            if k == 0 and self._attention is not None:
                self._attend(self.hidden, h)
            if k < last:
                h = self._act(h)
        return h.view(*x.shape[:-1], -1)

    def _attend(self, x: Tensor, z: Tensor) -> None:
        """Add what rows x (R, inputs) of N tasks attend to to their pre-activations z, in place."""
        assert self._attention is not None
        tasks = len(self._attention.keys)
        rows = x.to(self._attention.keys.dtype).view(tasks, -1, x.shape[1])
        found = attention.attend(self._attention, attention.queries(self._query, rows))
        z.view(tasks, -1, z.shape[1]).add_(found)


def _layer(weight: Tensor, bias: Tensor, h: Tensor, out: Tensor) -> Tensor:
    """Pass rows (R, inputs) through a layer, into `out` (R, outputs).

    weight: (inputs, outputs) or (N, inputs, outputs); bias: (outputs,) or (N, 1, outputs). With N,
    the rows are those of N tasks in order, the same number for each.
    """
    if weight.dim() == 2 and bias.dim() == 1:
        return torch.addmm(bias, h, weight, out=out)
    tasks = max(len(part) for part in (weight, bias) if part.dim() == 3)
    each = out.view(tasks, -1, out.shape[1])
    if weight.dim() == 2:
        torch.mm(h, weight, out=out)
        each.add_(bias)
    else:
        own = weight.expand(tasks, -1, -1)
        torch.baddbmm(bias, h.view(tasks, -1, h.shape[1]), own, out=each)
    return out
