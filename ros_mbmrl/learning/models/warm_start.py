"""Carry parameters over to another normalisation, so that Algorithm 9 can go on with more data.

Statistics are always those of all data. When they change, the outer layers are rescaled, so that
predictions stay the same. How each group is carried is a fact of the group (`networks.groups`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.networks.groups import Carry, place
from ros_mbmrl.networks.mlp import Parameters


@dataclass(frozen=True)
class Units:
    """Old normalised units from new ones: old = scale * new + shift.

    Attributes:
        x: scale and shift of the model's inputs, (inputs,) each.
        y: of its outputs, (outputs,) each.
        last: number of the model's last layer.
    """

    x: tuple[Tensor, Tensor]
    y: tuple[Tensor, Tensor]
    last: int

    @classmethod
    def between(cls, before: DynamicsModel, now: DynamicsModel) -> Units:
        """Return the change of units from one model's statistics to another's."""
        old, new = before.normalizer, now.normalizer
        x_shift = (new.input_mean - old.input_mean) / old.input_std
        y_shift = (new.change_mean - old.change_mean) / old.change_std
        x, y = new.input_std / old.input_std, new.change_std / old.change_std
        return cls((x, x_shift), (y, y_shift), now.mlp.layers - 1)

    @property
    def seen(self) -> tuple[Tensor, Tensor]:
        """Return scale and shift of a transition: inputs, changes, errors of changes."""
        (x, x_shift), (y, y_shift) = self.x, self.y
        return torch.cat([x, y, y]), torch.cat([x_shift, y_shift, torch.zeros_like(y_shift)])


def carried(parameters: Parameters, before: DynamicsModel, now: DynamicsModel) -> Parameters:
    """Return parameters that predict with `now`'s statistics what they predict with `before`'s.

    With a context or a memory, adapted predictions as well; the change that gradient steps make
    depends on units. Exact where nothing is clipped.

    Raises:
        ValueError: a parameter belongs to no group.
    """
    moved, units = dict(parameters), Units.between(before, now)
    for member, group in dict.fromkeys(place(name) for name in parameters):
        if carry := CARRIED.get(group.carry):
            carry(moved, member + group.prefix, units)
    return moved


def _model(moved: Parameters, prefix: str, units: Units) -> None:
    _first_layer(moved, f"{prefix}w0", f"{prefix}b0", units.x)
    w, b, (scale, shift) = f"{prefix}w{units.last}", f"{prefix}b{units.last}", units.y
    moved[w], moved[b] = moved[w] / scale, (moved[b] - shift) / scale


def _encoder(moved: Parameters, prefix: str, units: Units) -> None:
    _first_layer(moved, f"{prefix}w0", f"{prefix}b0", units.seen)


def _gru(moved: Parameters, prefix: str, units: Units) -> None:
    w = f"{prefix}wi"
    moved[w] = moved[w].mT
    _first_layer(moved, w, f"{prefix}bi", units.seen)
    moved[w] = moved[w].mT.contiguous()


def _biases(moved: Parameters, prefix: str, units: Units) -> None:
    last = f"{prefix}b{units.last}"
    moved[last] = moved[last] / units.y[0]


def _first_layer(moved: Parameters, w: str, b: str, units: tuple[Tensor, Tensor]) -> None:
    scale, shift = units
    moved[b] = moved[b] + shift @ moved[w]
    moved[w] = moved[w] * scale[:, None]


CARRIED: Mapping[Carry, Callable[[Parameters, str, Units], None]] = MappingProxyType(
    {Carry.MODEL: _model, Carry.ENCODER: _encoder, Carry.GRU: _gru, Carry.BIASES: _biases}
)
