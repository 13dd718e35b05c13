"""ValueFunction: what a robot that plans goes on to earn from a state.

At the end of a plan it stands for all that comes after (Lowrey et al. 2019, "Plan Online, Learn
Offline", eq. 4). A planner that looks a second ahead, without it, jumps as far as it can and lands
on its back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from ros_mbmrl.networks.ensemble import Ensemble, split, stacked
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.robots.spec import Robot

CLIP = 5.0  # deviations of a feature: beyond the data a value says nothing


@dataclass(frozen=True)
class ValueFunction:
    """The mean of an ensemble's values of a state, discounted sums of rewards.

    Args:
        robot: whose features are the inputs.
        mlp: from the features (df,) to a value.
        stack: its parameters, see `networks.ensemble.stacked`.
        mean, std: of the features (df,).
        scale: mean and standard deviation of the values (2,).
    """

    robot: Robot
    mlp: Ensemble
    stack: Parameters
    mean: Tensor
    std: Tensor
    scale: Tensor

    def __call__(self, states: Tensor) -> Tensor:
        """Return the values (...) of states (..., ds)."""
        rows = self.inputs(states).reshape(-1, len(self.mean))
        outputs = self.mlp.forward_each(self.stack, rows)[..., 0].mean(dim=0)
        return (outputs * self.scale[1] + self.scale[0]).reshape(states.shape[:-1])

    def inputs(self, states: Tensor) -> Tensor:
        """Return the network's inputs (..., df) of states (..., ds)."""
        return ((self.robot.features(states) - self.mean) / self.std).clamp(-CLIP, CLIP)

    def to(self, device: torch.device) -> ValueFunction:
        """Return the function on a device."""
        stack = {name: value.to(device) for name, value in self.stack.items()}
        parts = (self.mean.to(device), self.std.to(device), self.scale.to(device))
        return ValueFunction(self.robot, self.mlp, stack, *parts)

    def tensors(self) -> dict[str, Tensor]:
        """Return all numbers, for a file."""
        own = {"mean": self.mean, "std": self.std, "scale": self.scale}
        return own | {f"network.{name}": value for name, value in split(self.stack).items()}

    @property
    def facts(self) -> dict[str, Any]:
        """Return the shape of the network, for a card."""
        return {
            "sizes": list(self.mlp.sizes),
            "activation": self.mlp.activation,
            "members": self.mlp.members,
        }


def value_of(
    robot: Robot, facts: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> ValueFunction:
    """Return the function that a card and a file describe.

    Raises:
        KeyError, TypeError, ValueError: they do not fit each other or the robot.
    """
    mlp = Ensemble(tuple(facts["sizes"]), facts["activation"], int(facts["members"]))
    inputs = len(robot.spec.features)
    if (mlp.sizes[0], mlp.sizes[-1]) != (inputs, 1):
        raise ValueError(f"value: expected {inputs} inputs and 1 output, got {mlp.sizes}")
    names = [name for name in tensors if name.startswith("network.")]
    stack = stacked({name.removeprefix("network."): tensors[name] for name in names})
    own = {name: tensors[name] for name in ("mean", "std", "scale")}
    wanted: dict[str, tuple[int, ...]] = {"mean": (inputs,), "std": (inputs,), "scale": (2,)}
    for k, (before, after) in enumerate(pairwise(mlp.sizes)):
        wanted |= {f"w{k}": (mlp.members, before, after), f"b{k}": (mlp.members, 1, after)}
    for name, shape in wanted.items():
        if (found := tuple((own | stack)[name].shape)) != shape:
            raise ValueError(f"value: {name} has shape {found}, expected {shape}")
    return ValueFunction(robot, mlp, stack, **own)
