"""Bank: hypotheses about the causes of a robot, and how causes act on a network's inputs.

The last inputs of a model with causes are the causes beside the actuators, then the commands. An
effectiveness e is a factor on its command; any other cause has an input of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.groups import CAUSES
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.networks.updates import InputUpdate
from ros_mbmrl.robots.conditioned import modelled_causes
from ros_mbmrl.robots.spec import RobotSpec

WELL, WEAK, DEAD = "all well", "weak", "dead"
LEVELS = ((WEAK, 0.5), (DEAD, 0.0))  # effectiveness of a weak and of a dead actuator
JOINT = "joint"  # a tensor of the models of which all causes are inferred at once
ODDS = "odds"  # a tensor (J,) of the models whose hypotheses are not all equally probable a priori
# Odds of a fault of actuators where training data told other causes, but never such a fault. Causes
# beyond those of training fit badly, and a wrong one with free values may fit a few rows better.
NEVER_TOLD = 1e-6
EFFECTIVENESS = (0.0, 1.2)  # range of what is inferred
SPREAD = 0.25  # deviation of a hypothesis's own causes around its level, as a share of their range


@dataclass(frozen=True)
class Bank:
    """Hypotheses about a robot.

    Args:
        names: (J,), the first one is that all is well.
        values: (J, c), the causes under each hypothesis.
        free: (J, c), how far causes are refined within a hypothesis: 1 for its own; for others what
            they differ from robot to robot, as a share of that; 0 for those that stay.
        low, high: (c,), the range of each cause.
        actuators: how many of the causes, the last ones, are effectivenesses of actuators.
    """

    names: tuple[str, ...]
    values: Tensor
    free: Tensor
    low: Tensor
    high: Tensor
    actuators: int

    @classmethod
    def of(cls, spec: RobotSpec) -> Bank:
        """Return the bank of any robot: each group of actuators is weak or dead.

        An actuator that is in no group of the specification fails alone. Causes that the model has
        inputs for are at each of their levels.
        """
        causes, order = modelled_causes(spec), [limit.name for limit in spec.action]
        low, high = ([bound] * len(order) for bound in EFFECTIVENESS)
        well = [*(cause.default for cause in causes), *[1.0] * len(order)]
        spreads = [*(c.spread for c in causes), *[spec.effectiveness_spread] * len(order)]
        ranges = [*(c.high - c.low for c in causes), *[high[0] - low[0]] * len(order)]
        usual = [s / (SPREAD * r) for s, r in zip(spreads, ranges, strict=True)]
        names, rows, free = [WELL], [well], [usual]

        def add(name: str, changed: Mapping[int, float], refined: Sequence[int]) -> None:
            names.append(name)
            rows.append([changed.get(k, value) for k, value in enumerate(well)])
            free.append([1.0 if k in refined else usual[k] for k in range(len(well))])

        for group, members in spec.actuator_groups.items():
            places = [len(causes) + order.index(member) for member in members]
            for word, share in LEVELS:
                add(f"{group} {word}", dict.fromkeys(places, share), places)
        for k, cause in enumerate(causes):
            vector = [n for n, each in enumerate(causes) if each.vector == cause.vector != ""]
            for level in cause.levels:
                unit = "" if cause.unit == "1" else f" {cause.unit}"
                own = [] if cause.discrete else vector or [k]
                add(f"{cause.name} {level:g}{unit}", {k: level}, own)
        return cls(
            tuple(names),
            torch.tensor(rows),
            torch.tensor(free),
            torch.tensor([*(cause.low for cause in causes), *low]),
            torch.tensor([*(cause.high for cause in causes), *high]),
            len(order),
        )

    @property
    def effectiveness(self) -> Tensor:
        """Return the shares (J, da) of each command that act under each hypothesis."""
        return self.values[:, -self.actuators :]

    @property
    def axes(self) -> Tensor:
        """Return vectors (J, G, c) of the causes free in each hypothesis; zero beyond them."""
        most = int((self.free > 0).sum(dim=1).max())
        rows = [torch.diag(row)[row > 0] for row in self.free]
        return torch.stack([torch.cat([r, r.new_zeros(most - len(r), r.shape[1])]) for r in rows])

    def parameters(self, normalizer: Normalizer) -> Parameters:
        """Return the bank as tensors that are stored with the model."""
        acting = Acting.of(normalizer, self.values[0], self.actuators)
        own = {"values": self.values, "axes": self.axes, "low": self.low, "high": self.high}
        own |= {"default": acting.default, "factor": acting.factor, "gain": acting.gain}
        if self.free[0].any():  # causes differ when all is well, too: see `joint`
            own[JOINT] = torch.ones(1)
        return CAUSES.named(own)


def doubting_actuators(parameters: Parameters) -> Parameters:
    """Return parameters, an ensemble's too, whose banks hold faults of actuators for improbable."""
    odds, end = {}, CAUSES.prefix + "values"
    for name, values in parameters.items():
        if name.endswith(end):
            bank = name.removesuffix("values")
            off = (values - parameters[f"{bank}default"]) * parameters[f"{bank}factor"]
            faulty = (off != 0).any(dim=-1)
            odds[bank + ODDS] = torch.where(faulty, NEVER_TOLD, 1.0)
    return {**parameters, **odds}


@dataclass(frozen=True)
class Acting:
    """Map from causes to a change of the last inputs of a network, normalised; all (c,).

    A command a times e is normalised to (e a - mean) / std = e x + mean (e - 1) / std; an input of
    a cause's own is shifted by (value - default) / std.

    Args:
        default: the causes when all is well.
        factor: 1 for an effectiveness, 0 for any other cause.
        gain: shift of the input for a cause that is 1 above its default.
    """

    default: Tensor
    factor: Tensor
    gain: Tensor

    @classmethod
    def of(cls, normalizer: Normalizer, default: Tensor, actuators: int) -> Acting:
        """Return the map of a model of which the last `actuators` inputs are commands."""
        size = len(default)
        mean, std = normalizer.input_mean[-size:], normalizer.input_std[-size:]
        factor = torch.zeros_like(mean)
        factor[size - actuators :] = 1.0
        return cls(default.to(mean), factor, (factor * mean + 1 - factor) / std)

    @classmethod
    def stored(cls, bank: Mapping[str, Tensor]) -> Acting:
        """Return the map of the model that `Bank.parameters` are stored with."""
        return cls(bank["default"], bank["factor"], bank["gain"])

    def __call__(self, values: Tensor, inputs: int) -> InputUpdate:
        """Return the change of a network's inputs under causes (..., c); both (..., inputs)."""
        off = values - self.default
        scale = off.new_ones(*off.shape[:-1], inputs)
        shift = torch.zeros_like(scale)
        scale[..., -off.shape[-1] :] += self.factor * off
        shift[..., -off.shape[-1] :] = self.gain * off
        return InputUpdate(scale, shift)

    def values(self, inputs: InputUpdate) -> Tensor:
        """Return the causes (..., c) of a change of a network's inputs: a call inverted."""
        scale, shift = (part[..., -len(self.gain) :] for part in (inputs.scale, inputs.shift))
        off = torch.where(self.factor > 0, scale - 1, shift / self.gain)
        return self.default + off
