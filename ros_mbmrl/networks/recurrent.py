"""A recurrent dynamics model: a memory of the transitions seen shifts the biases of the network.

The memory is the hidden state of a GRU. A real transition enters it together with the *surprise*,
the observed change less the one predicted from the memory before it, as in a filter. An imagined
one surprises nobody: the model's own prediction stands in for what is observed. A hidden state of
zero remembers nothing and shifts nothing: it is the prior.
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from ros_mbmrl.networks.ensemble import MemberUpdates, members_of, memory_of
from ros_mbmrl.networks.groups import CONDITION, GRU, MEMORY
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.updates import LayerUpdate, Update

PERSISTENCE = f"{MEMORY.prefix}persistence"  # logits of the share that is kept a step
LIMIT = 5.0  # of everything that enters the memory, in normalised units


def init(mlp: MLP, size: int, generator: Generator) -> Parameters:
    """Draw a GRU of `size` units, laid out as `torch.nn.GRUCell`, and maps from it to biases.

    The maps are zero: training starts from the network that there is.
    """
    inputs = mlp.sizes[0] + 2 * mlp.sizes[-1]
    return GRU.named(gates(inputs, size, generator)) | no_condition(mlp, size)


def gates(inputs: int, size: int, generator: Generator) -> Parameters:
    """Draw the weights of a GRU of `size` units, laid out as `torch.nn.GRUCell`."""

    def uniform(*shape: int) -> Tensor:
        return (2 * torch.rand(*shape, generator=generator) - 1) / math.sqrt(size)

    found = {"wi": uniform(3 * size, inputs), "wh": uniform(3 * size, size)}
    return found | {"bi": uniform(3 * size), "bh": uniform(3 * size)}


def no_condition(mlp: MLP, size: int) -> Parameters:
    """Return maps from a code of `size` numbers to the network's biases, zero at first."""
    maps = {f"b{k}": torch.zeros(size, outputs) for k, outputs in enumerate(mlp.sizes[1:])}
    return CONDITION.named(maps)


def advance(
    parameters: Parameters, hidden: Tensor, x: Tensor, y: Tensor, surprise: Tensor | None = None
) -> Tensor:
    """Step the GRU: hidden (N, size), x (N, inputs), y, surprise (N, outputs) -> hidden."""
    surprise = torch.zeros_like(y) if surprise is None else surprise
    seen = torch.cat([x, y, surprise], dim=-1).clamp(-LIMIT, LIMIT)
    weights = [parameters[GRU.prefix + name] for name in ("wi", "wh", "bi", "bh")]
    after: Tensor = torch.gru_cell(seen, hidden, *weights)
    return after


def condition(parameters: Parameters, hidden: Tensor) -> Update:
    """Return the update that hidden states (N, size) stand for, one a task."""
    maps = CONDITION.part(parameters)
    layers = (LayerUpdate(bias=(hidden @ maps[f"b{k}"])[:, None]) for k in range(len(maps)))
    return Update(tuple(layers), hidden)


def observe(mlp: MLP, parameters: Parameters, hidden: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Return hidden states (N, size) after a real transition: x (N, inputs), y (N, outputs)."""
    predicted, _, _ = mlp.forward_updated(parameters, condition(parameters, hidden), x[:, None])
    return advance(parameters, hidden, x, y, y - predicted[:, 0])


def imagine(parameters: Parameters, update: Update, x: Tensor, y: Tensor) -> Update:
    """Return the update after an imagined transition: x (N, inputs), own prediction y (N, outputs).

    Without a memory it is the same one. Tasks that remember nothing stay at the prior. A GRU goes
    on with the prediction; a leaky memory learns nothing from it and fades. Each member of an
    ensemble has its own memory, which the mean prediction enters.
    """
    if memory_of(update) is None:
        return update
    if isinstance(update, MemberUpdates):
        each = zip(members_of(parameters), update.members, strict=True)
        return update.having(imagine(own, change, x, y) for own, change in each)
    hidden = update.hidden
    assert hidden is not None
    if fades(parameters):
        return fade(parameters, update, 1)
    remembers = hidden.any(dim=-1, keepdim=True)
    after = torch.where(remembers, advance(parameters, hidden, x, y), hidden)
    return _moved(parameters, update, after)


def fades(parameters: Parameters) -> bool:
    """Tell whether the memory is a leaky one, which nothing imagined enters."""
    return PERSISTENCE in parameters


def fade(parameters: Parameters, update: Update, steps: int) -> Update:
    """Return the update `steps` after the newest transition, where the memory is a leaky one."""
    if isinstance(update, MemberUpdates):
        each = zip(members_of(parameters), update.members, strict=True)
        return update.having(fade(own, change, steps) for own, change in each)
    if update.hidden is None or not fades(parameters):
        return update
    kept = torch.exp(steps * torch.nn.functional.logsigmoid(parameters[PERSISTENCE]))
    return _moved(parameters, update, kept * update.hidden)


def _moved(parameters: Parameters, update: Update, hidden: Tensor) -> Update:
    """Return the update when its memory has become `hidden`; other parts of it stay."""
    assert update.hidden is not None
    moved = condition(parameters, hidden - update.hidden).layers
    return Update(tuple(a.plus(b) for a, b in zip(update.layers, moved, strict=True)), hidden)


def predict_segment(mlp: MLP, parameters: Parameters, update: Update, x: Tensor) -> Tensor:
    """Predict outputs (N, T, outputs) over inputs (N, T, inputs), without seeing an outcome.

    A memory goes on with the model's own predictions from row to row, as it does in planning.
    """
    if memory_of(update) is None:
        return mlp.forward_updated(parameters, update, x)[0]
    outputs: list[Tensor] = []
    for t in range(x.shape[1]):
        outputs.append(mlp.forward_updated(parameters, update, x[:, t : t + 1])[0])
        if t + 1 < x.shape[1]:
            update = imagine(parameters, update, x[:, t], outputs[-1][:, 0])
    return torch.cat(outputs, dim=1)
