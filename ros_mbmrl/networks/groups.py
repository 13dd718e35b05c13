"""Groups of parameters: one description of how the tensors of each are trained and carried over.

The name of a tensor is `[member.N.][GROUP.]TENSOR`: the prior's own weights w0.. and biases b0..
stand without a group. A network that is a member of an ensemble has groups of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from ros_mbmrl.networks.mlp import Parameters

NAME = re.compile(r"(?P<member>member\.\d+\.)?(?:(?P<group>[a-z]+)\.)?(?P<tensor>\w+)")
LAYER = re.compile(r"[wb]\d+")


class Carry(Enum):
    """Ways to carry a group over to another normalisation of inputs and changes."""

    UNCHANGED = auto()
    MODEL = auto()  # an MLP from inputs to changes
    ENCODER = auto()  # an MLP from transitions: inputs, changes, errors of changes
    GRU = auto()  # gates that see the same transitions
    INPUTS = auto()  # one layer, or the first of several, of what sees the model's inputs
    NOISE = auto()  # log variances of changes, without bounds
    VARIANCE = auto()  # log variances of changes, and their bounds
    BIASES = auto()  # maps to the biases of the model; the last one is in units of changes


@dataclass(frozen=True)
class Group:
    """One group of parameters.

    Attributes:
        name: first part of the tensors' names; empty for the network itself.
        carry: how it is carried over to another normalisation.
        trained: whether the optimiser changes it.
        rate: its learning rate, relative to the run's.
        decayed: whether weight decay acts on it.
        network: whether it belongs to the network that adaptation changes: it is there before a
            rule's own parameters are, and the norm of a change is relative to its norm.
    """

    name: str
    carry: Carry = Carry.UNCHANGED
    trained: bool = True
    rate: float = 1.0
    decayed: bool = True
    network: bool = False

    @property
    def prefix(self) -> str:
        """Return the beginning of the tensors' names, dot included."""
        return f"{self.name}." if self.name else ""

    def part(self, parameters: Mapping[str, Tensor], member: str = "") -> Parameters:
        """Return the group's tensors, of one member of an ensemble, without the prefix."""
        start = member + self.prefix
        names = {name: name[len(start) :] for name in parameters if name.startswith(start)}
        return {own: parameters[name] for name, own in names.items() if "." not in own}

    def named(self, tensors: Mapping[str, Tensor], member: str = "") -> Parameters:
        """Return tensors with the names that they have in this group."""
        return {member + self.prefix + name: value for name, value in tensors.items()}


NETWORK = Group("", Carry.MODEL, network=True)
# Logarithms of step sizes: few, so they may learn faster; decay would pull each size towards 1.
PSI = Group("psi", rate=5.0, decayed=False)
FROZEN = Group("frozen", Carry.MODEL, trained=False)  # the prior as the meta phase began with it
ENCODER = Group("encoder", Carry.ENCODER)
LOCAL = Group("local", Carry.ENCODER)  # a second encoder, of what an input attends to
CONDITION = Group("condition", Carry.BIASES)
GRU = Group("gru", Carry.GRU)
GRAPH = Group("graph")  # message passing between transitions, and the latent variable's head
QUERY = Group("query", Carry.INPUTS)  # queries and keys of attention by dot products
COSINE = Group("cosine", Carry.INPUTS)  # those of attention by cosine similarity
ATTENDED = Group("attended", trained=False)  # keys and values of an adapted model
# Log variances of changes: few, and a decay would pull them to a variance of 1.
NOISE = Group("noise", Carry.NOISE, rate=5.0, decayed=False)
POSTERIOR = Group("posterior")  # of a policy that infers its context (PEARL)
MEMORY = Group("memory")  # how long each component of a code lasts
CAUSES = Group("causes", trained=False)  # made anew by every fit, for its normalisation
# Gaussian heads: the supervised fit of an ensemble trains them, no rule does.
VARIANCE = Group("variance", Carry.VARIANCE, trained=False)
_CONTEXTS = (
    ENCODER,
    LOCAL,
    CONDITION,
    GRU,
    MEMORY,
    GRAPH,
    QUERY,
    COSINE,
    ATTENDED,
    NOISE,
    POSTERIOR,
)
_ALL = (NETWORK, PSI, FROZEN, *_CONTEXTS, CAUSES, VARIANCE)
GROUPS = {each.name: each for each in _ALL}


def place(name: str) -> tuple[str, Group]:
    """Return the prefix of the ensemble's member, empty for none, and the group of a tensor.

    Args:
        name: of the tensor, such as `w0`, `psi.b1` or `member.0.frozen.w2`.

    Raises:
        ValueError: the name has no known group.
    """
    found = NAME.fullmatch(name)
    group = GROUPS.get(found["group"] or "") if found else None
    if found is None or group is None or (group.network and not LAYER.fullmatch(found["tensor"])):
        known = ", ".join(each for each in GROUPS if each)
        raise ValueError(
            f"parameter '{name}' belongs to no group: expected w0, b0, ... or a name in {known}"
        )
    return found["member"] or "", group


def group_of(name: str) -> Group:
    """Return the group of a tensor. See `place`."""
    return place(name)[1]


def network_of(parameters: Mapping[str, Tensor]) -> Parameters:
    """Return the tensors of the network that adaptation changes, of every member of an ensemble."""
    return {name: value for name, value in parameters.items() if group_of(name).network}


def fitted_of(parameters: Mapping[str, Tensor]) -> Parameters:
    """Return the tensors of the supervised fit: of the network, and of its Gaussian head."""
    fitted = (NETWORK, VARIANCE)
    return {name: value for name, value in parameters.items() if group_of(name) in fitted}
