"""An ensemble of networks of one shape, as a network whose output is the mean of its members'.

Parameters are those of each member, named `member.K.w0` and so on; `stacked` puts them together,
(E, inputs, outputs), so that all members are computed in one batched product. An update changes the
inputs of all members, or each member's layers by an update of its own (`MemberUpdates`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from ros_mbmrl.networks.activations import HEADS
from ros_mbmrl.networks.gaussian import heads_of, log_variances, new_head
from ros_mbmrl.networks.groups import VARIANCE
from ros_mbmrl.networks.mlp import MLP, Parameters, Pass
from ros_mbmrl.networks.tasks import spread
from ros_mbmrl.networks.updates import Update

MOST = 64  # members


@dataclass(frozen=True)
class MemberUpdates(Update):
    """An update of an ensemble, whose own layers stay empty: each member has its own.

    Args:
        members: one update for each member, all of the same N tasks.
    """

    members: tuple[Update, ...] = ()

    @property
    def changes_nothing(self) -> bool:
        """Tell whether this is the prior."""
        return super().changes_nothing and all(own.changes_nothing for own in self.members)

    def where(self, wanted: Tensor) -> MemberUpdates:
        """Return the update of the tasks that are `wanted` (N,), and none for the others."""
        return self._with(super().where(wanted), (own.where(wanted) for own in self.members))

    def tasks(self, which: slice) -> MemberUpdates:
        """Return the update of some of the tasks."""
        return self._with(super().tasks(which), (own.tasks(which) for own in self.members))

    def repeated(self, times: int) -> MemberUpdates:
        """Return the update of each task `times` times, one task after the other."""
        return self._with(super().repeated(times), (own.repeated(times) for own in self.members))

    def having(self, members: Iterable[Update]) -> MemberUpdates:
        """Return the update with other updates of the members."""
        return replace(self, members=tuple(members))

    @staticmethod
    def _with(shared: Update, members: Iterable[Update]) -> MemberUpdates:
        return MemberUpdates(shared.layers, shared.hidden, shared.inputs, members=tuple(members))


def memory_of(update: Update) -> Tensor | None:
    """Return the memories of an update (N, size), of an ensemble (E N, size); None without any.

    Those of an ensemble are member by member.
    """
    if not isinstance(update, MemberUpdates):
        return update.hidden
    found = [own.hidden for own in update.members if own.hidden is not None]
    return torch.cat(found) if found else None


@dataclass(frozen=True)
class Ensemble(MLP):
    """Networks of one shape.

    Args:
        members: their number E.
        head: `mse`, or `gaussian`: each member gives a variance as well, see `moments`.
        elites: numbers of the members that predictions are of; none: all. The others are trained,
            adapted and kept, and may be elites after another fit.
    """

    members: int = 5
    head: str = "mse"
    elites: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.members <= MOST:
            raise ValueError(f"members: expected 2 to {MOST}, got {self.members}")
        if self.head not in HEADS:
            raise ValueError(f"head: expected one of {HEADS}, got {self.head!r}")
        if list(self.elites) != sorted(set(self.elites) & set(range(self.members))):
            raise ValueError(
                f"elites: expected some of 0 to {self.members - 1} in order, got {self.elites}"
            )

    @property
    def used(self) -> tuple[int, ...]:
        """Return the numbers of the members that predictions are of."""
        return self.elites or tuple(range(self.members))

    @property
    def gaussian(self) -> bool:
        """Tell whether the members give variances."""
        return self.head == "gaussian"

    @property
    def member(self) -> MLP:
        """Return the shape of one member."""
        return MLP(self.sizes, self.activation)

    def init(self, generator: Generator) -> Parameters:
        """Draw each member's parameters for itself."""
        each = [self.member.init(generator) for _ in range(self.members)]
        if self.gaussian:
            each = [own | VARIANCE.named(new_head(*self.sizes[-2:])) for own in each]
        return unstacked(each)

    def forward_each(self, stack: Parameters, x: Tensor) -> Tensor:
        """Return the outputs (E, R, outputs) of every member.

        Args:
            stack: see `stacked`.
            x: inputs (E, R, inputs), or (R, inputs) for all members.
        """
        return self.forward_hidden(stack, x)[0]

    def forward_hidden(self, stack: Parameters, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the outputs of every member and its last hidden units (E, R, hidden)."""
        return forward_stack(self, stack, x)

    def forward(self, parameters: Parameters, x: Tensor) -> Tensor:
        """Return the members' mean outputs (..., outputs) of inputs (..., inputs)."""
        outputs = self.forward_each(stacked(parameters, self.used), x.reshape(-1, x.shape[-1]))
        return outputs.mean(dim=0).reshape(*x.shape[:-1], -1)

    def updates(self, update: Update) -> tuple[Update, ...]:
        """Return the update of each member: its own, after that of the inputs which all share.

        Raises:
            ValueError: it changes layers, but not member by member, or not of these members.
        """
        layers = any(layer.left is not None or layer.bias is not None for layer in update.layers)
        if layers or update.hidden is not None:
            raise ValueError("expected an update of each member, got one of a single network")
        if not isinstance(update, MemberUpdates):
            return (replace(self.member.no_update, inputs=update.inputs),) * self.members
        if len(update.members) != self.members:
            raise ValueError(f"expected {self.members} updates, got {len(update.members)}")
        if update.inputs is None:
            return update.members
        if any(own.inputs is not None for own in update.members):
            raise ValueError("expected one update of the inputs: of all members, or of each")
        return tuple(replace(own, inputs=update.inputs) for own in update.members)

    def passes(self, parameters: Parameters, update: Update, x: Tensor) -> tuple[Pass, ...]:
        """Pass x (N, T, inputs) through each member under its update."""
        each = zip(members_of(parameters), self.updates(update), strict=True)
        return tuple(self.member.forward_updated(own, change, x) for own, change in each)

    def forward_updated(self, parameters: Parameters, update: Update, x: Tensor) -> Pass:
        """Pass x (N, T, inputs) through the members; the outputs are their mean."""
        return self.mean_of(self.passes(parameters, update, x))

    def mean_of(self, passes: Sequence[Pass]) -> Pass:
        """Return the pass of the ensemble: the mean outputs, the inputs of its first layer.

        passes: of every member.
        """
        outputs = self._joined([each.outputs for each in passes])
        return Pass(outputs.mean(dim=0), passes[0].inputs[:1], [])

    def _joined(self, parts: Sequence[Tensor]) -> Tensor:
        """Return the parts (N, ...) of the members that are used, (E, N, ...)."""
        tasks = max(len(each) for each in parts)
        return torch.stack([spread(parts[k], tasks) for k in self.used])

    def moments(
        self, parameters: Parameters, update: Update, x: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Return the members' means (E, N, T, outputs) and variances, None without such heads.

        Args:
            x: inputs (N, T, inputs). The variances are those of the prior's head, on the hidden
                units of the updated network.
        """
        passes = self.passes(parameters, update, x)
        means = self._joined([each.outputs for each in passes])
        if not self.gaussian:
            return means, None
        hidden = self._joined([each.inputs[-1] for each in passes]).flatten(1, 2)
        logs = log_variances(heads_of(parameters, self.used), hidden)
        return means, logs.exp().view(means.shape)

    def materialise(self, parameters: Parameters, update: Update) -> Parameters:
        """Return parameters with the update of one task (N = 1) written in."""
        each = zip(members_of(parameters), self.updates(update), strict=True)
        return unstacked([self.member.materialise(own, change) for own, change in each])

    def materialise_each(self, parameters: Parameters, update: Update) -> Parameters:
        """Return parameters with N tasks' updates written in; see `MLP.materialise_each`."""
        each = zip(members_of(parameters), self.updates(update), strict=True)
        return unstacked([self.member.materialise_each(own, change) for own, change in each])


def forward_stack(mlp: MLP, stack: Parameters, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return outputs (E, R, outputs) and last hidden units of E networks of one shape.

    Args:
        mlp: their shape.
        stack: see `stacked`.
        x: inputs (E, R, inputs), or (R, inputs) for all networks.
    """
    h = x.expand(len(stack["w0"]), *x.shape[-2:])
    for k in range(mlp.layers):
        before = h
        h = torch.baddbmm(stack[f"b{k}"], h, stack[f"w{k}"])
        if k < mlp.layers - 1:
            h = mlp.act(h)
    return h, before


def whole(mlp: MLP) -> MLP:
    """Return the network with all members in use, as it is trained."""
    return replace(mlp, elites=()) if isinstance(mlp, Ensemble) else mlp


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


def stacked(parameters: Parameters, members: Iterable[int] | None = None) -> Parameters:
    """Return weights (E, inputs, outputs) and biases (E, 1, outputs) of some members, or of all.

    What a rule's own parameters are for, such as `psi.w0`, is no part of the networks.
    """
    each = members_of(parameters)
    each = each if members is None else [each[k] for k in members]
    names = [name for name in each[0] if "." not in name]
    stack = {name: torch.stack([own[name] for own in each]) for name in names}
    return {name: v[:, None] if v.dim() == 2 else v for name, v in stack.items()}


def split(stack: Parameters) -> Parameters:
    """Return what `stacked` was made of, under the names of the members."""
    count = len(next(iter(stack.values())))
    flat = {name: v[:, 0] if name.startswith("b") else v for name, v in stack.items()}
    return unstacked([{name: v[k] for name, v in flat.items()} for k in range(count)])
