"""Carry parameters over to another normalisation, so that Algorithm 9 can go on with more data.

Statistics are always those of all data. When they change, the outer layers are rescaled, so that
predictions stay the same. How each group is carried is a fact of the group (`networks.groups`).
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.networks.groups import Carry, fitted_of, group_of, place
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.robots.conditioned import modelled_causes
from ros_mbmrl.robots.spec import Robot

Units = tuple[Tensor, Tensor]  # scale and shift: old = scale * new + shift


def carried(parameters: Parameters, before: DynamicsModel, now: DynamicsModel) -> Parameters:
    """Return parameters that predict with `now`'s statistics what they predict with `before`'s.

    With a context or a memory, adapted predictions as well; the change that gradient steps make
    depends on units. Exact where nothing is clipped.

    Raises:
        ValueError: a parameter belongs to no group.
    """
    old, new, last = before.normalizer, now.normalizer, now.mlp.layers - 1
    x, x_shift = new.input_std / old.input_std, (new.input_mean - old.input_mean) / old.input_std
    y, dy = new.change_std / old.change_std, new.change_mean - old.change_mean
    y_shift = dy / old.change_std
    # A transition: inputs, changes, errors of changes.
    seen = torch.cat([x, y, y]), torch.cat([x_shift, y_shift, torch.zeros_like(y_shift)])
    moved = dict(parameters)
    for member, group in dict.fromkeys(place(name) for name in parameters):
        at = member + group.prefix
        match group.carry:
            case Carry.MODEL:
                _first_layer(moved, f"{at}w0", f"{at}b0", (x, x_shift))
                w, b = f"{at}w{last}", f"{at}b{last}"
                moved[w], moved[b] = moved[w] / y, (moved[b] - y_shift) / y
            case Carry.ENCODER:
                _first_layer(moved, f"{at}w0", f"{at}b0", seen)
            case Carry.GRU:
                moved[f"{at}wi"] = moved[f"{at}wi"].mT
                _first_layer(moved, f"{at}wi", f"{at}bi", seen)
                moved[f"{at}wi"] = moved[f"{at}wi"].mT.contiguous()
            case Carry.INPUTS:
                _first_layer(moved, f"{at}w", f"{at}b", (x, x_shift))
            case Carry.NOISE:
                moved[f"{at}b"] = moved[f"{at}b"] - 2.0 * y.log()
            case Carry.VARIANCE:
                for name in ("b", "low", "high"):
                    moved[at + name] = moved[at + name] - 2.0 * y.log()
            case Carry.BIASES:
                if f"{at}b{last}" in moved:  # a latent variable conditions the first layer alone
                    moved[f"{at}b{last}"] = moved[f"{at}b{last}"] / y
            case Carry.UNCHANGED:
                pass
    return moved


def with_causes(
    parameters: Parameters, before: DynamicsModel, robot: Robot
) -> tuple[Parameters, DynamicsModel]:
    """Return a model of plain features with an input for each cause that `robot` models.

    The new inputs stand before the commands, with weights of 0: predictions stay the same. Of the
    parameters only those of the supervised fit are kept. A model that has the inputs is returned
    as it is.
    """
    causes = modelled_causes(robot.spec)
    if not causes or modelled_causes(before.robot.spec):
        return parameters, before
    at, mlp, old = len(before.robot.spec.features), before.mlp, before.normalizer
    sizes = (mlp.sizes[0] + len(causes), *mlp.sizes[1:])

    def wider(rows: Tensor, added: Tensor) -> Tensor:
        return torch.cat([rows[:at], added.expand(-1, *rows.shape[1:]), rows[at:]])

    own = fitted_of(parameters)
    first = [name for name in own if group_of(name).network and name.endswith("w0")]
    zeros = torch.zeros(len(causes), 1)
    defaults = old.input_mean.new_tensor([cause.default for cause in causes])
    normalizer = replace(
        old,
        input_mean=wider(old.input_mean, defaults),
        input_std=wider(old.input_std, torch.ones_like(defaults)),
    )
    own |= {name: wider(own[name], zeros.to(own[name])) for name in first}
    return own, replace(before, robot=robot, mlp=replace(mlp, sizes=sizes), normalizer=normalizer)


def _first_layer(moved: Parameters, w: str, b: str, units: Units) -> None:
    scale, shift = units
    moved[b] = moved[b] + shift @ moved[w]
    moved[w] = moved[w] * scale[:, None]
