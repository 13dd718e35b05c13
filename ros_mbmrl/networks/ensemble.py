"""An ensemble of networks of one shape, as a network whose output is the mean of its members'.

Parameters are those of each member, named `member.K.w0` and so on; `stacked` puts them together,
(E, inputs, outputs), so that all members are computed in one batched product.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.networks.mlp import MLP, Parameters, Pass, Update

MOST = 64  # members


@dataclass(frozen=True)
class Ensemble(MLP):
    """Networks of one shape; an update by adaptation changes the inputs of all of them.

    Args:
        members: their number E.
    """

    members: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.members <= MOST:
            raise ValueError(f"members: expected 2 to {MOST}, got {self.members}")

    @property
    def member(self) -> MLP:
        """Return the shape of one member."""
        return MLP(self.sizes, self.activation)

    def init(self, generator: Generator) -> Parameters:
        """Draw each member's parameters for itself."""
        return unstacked([self.member.init(generator) for _ in range(self.members)])

    def forward_each(self, stack: Parameters, x: Tensor) -> Tensor:
        """Return the outputs (E, R, outputs) of every member.

        Args:
            stack: see `stacked`.
            x: inputs (E, R, inputs), or (R, inputs) for all members.
        """
        h = x.expand(self.members, *x.shape[-2:])
        for k in range(self.layers):
            h = torch.baddbmm(stack[f"b{k}"], h, stack[f"w{k}"])
            if k < self.layers - 1:
                h = self.act(h)
        return h

    def forward(self, parameters: Parameters, x: Tensor) -> Tensor:
        """Return the members' mean outputs (..., outputs) of inputs (..., inputs)."""
        outputs = self.forward_each(stacked(parameters), x.reshape(-1, x.shape[-1]))
        return outputs.mean(dim=0).reshape(*x.shape[:-1], -1)

    def forward_updated(self, parameters: Parameters, update: Update, x: Tensor) -> Pass:
        """Pass x (N, T, inputs) through the members; the outputs are their mean."""
        _only_inputs(update)
        h = x if update.inputs is None else update.inputs(x)
        return Pass(self.forward(parameters, h), [h], [])

    def materialise(self, parameters: Parameters, update: Update) -> Parameters:
        """Return parameters with the update of one task (N = 1) written in."""
        _only_inputs(update)
        each = members_of(parameters)
        return unstacked([self.member.materialise(own, update) for own in each])

    def materialise_each(self, parameters: Parameters, update: Update) -> Parameters:
        """Return parameters with N tasks' updates written in; see `MLP.materialise_each`."""
        _only_inputs(update)
        each = members_of(parameters)
        return unstacked([self.member.materialise_each(own, update) for own in each])


def members_of(parameters: Parameters) -> list[Parameters]:
    """Return the networks' parameters member by member; those of a rule belong to none."""
    found: dict[int, Parameters] = {}
    for name, value in parameters.items():
        head, _, rest = name.partition(".")
        if head == "member":
            number, _, own = rest.partition(".")
            found.setdefault(int(number), {})[own] = value
    return [found[k] for k in sorted(found)]


def unstacked(members: list[Parameters]) -> Parameters:
    """Return the parameters of all members under their names."""
    return {f"member.{k}.{name}": v for k, own in enumerate(members) for name, v in own.items()}


def stacked(parameters: Parameters) -> Parameters:
    """Return weights (E, inputs, outputs) and biases (E, 1, outputs) of all members."""
    each = members_of(parameters)
    stack = {name: torch.stack([own[name] for own in each]) for name in each[0]}
    return {name: v[:, None] if v.dim() == 2 else v for name, v in stack.items()}


def split(stack: Parameters) -> Parameters:
    """Return what `stacked` was made of, under the names of the members."""
    count = len(next(iter(stack.values())))
    flat = {name: v[:, 0] if name.startswith("b") else v for name, v in stack.items()}
    return unstacked([{name: v[k] for name, v in flat.items()} for k in range(count)])


def _only_inputs(update: Update) -> None:
    if update.hidden is not None or any(
        layer.left is not None or layer.bias is not None for layer in update.layers
    ):
        raise ValueError("an ensemble is adapted by its inputs alone, got an update of its layers")
