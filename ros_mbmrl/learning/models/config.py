"""TrainConfig: what decides a training run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ros_mbmrl.networks.activations import ACTIVATIONS, HEADS

PRECISIONS = ("float32", "bfloat16")
# A slip of the pen in a recipe must not ask for more memory than there is.
MOST = 1_000_000_000
LARGEST: Mapping[str, int] = MappingProxyType(
    {"hidden": 8192, "adapt_windows": 10_000, "predict_window": 10_000, "horizon": 10_000}
    | {"batch": 1_000_000, "rows": 1_000_000, "members": 64}
)


@dataclass(frozen=True)
class TrainConfig:
    """Settings that decide a training run.

    adapt_windows: lengths T1 to draw from; the longest is the live window. predict_window: T2.
    supervised_steps, meta_steps: of the outer optimiser; 0 leaves a phase out. batch: segments a
    step (the supervised fit sees as many single transitions as those segments have).
    validate_every: steps; patience: validations without improvement before stopping. horizon:
    open-loop steps judged.
    noise: deviation of the noise on normalised inputs, against overfitting. augmentation: options
    of the robot's own (`Robot.augmentation`); none without any. precision: of the network's
    products in training; weights and what is validated are in float32. members: networks of an
    ensemble, 1 for a single network. rows: transitions a step that each of them is fitted to.
    elites: members with the least held-out error, which alone are used; 0: all of them.
    head: of each member: `mse`, or `gaussian` for a variance as well, by negative log-likelihood.
    weight_normalisation: whether the members' weights are trained as gains and directions.
    value: whether a value function is learned from the runs that follow the model, see `fit_value`.
    """

    method: str = "grbal"
    options: Mapping[str, Any] = field(default_factory=dict)
    hidden: tuple[int, ...] = (128, 128, 128)
    activation: str = "silu"
    adapt_windows: tuple[int, ...] = (8, 16, 32)
    predict_window: int = 16
    supervised_steps: int = 4000
    meta_steps: int = 3000
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    gradient_limit: float = 10.0
    validate_every: int = 250
    patience: int = 8
    horizon: int = 8
    noise: float = 0.0
    augmentation: Mapping[str, float] = field(default_factory=dict)
    precision: str = "float32"
    seed: int = 0
    members: int = 1
    rows: int = 256
    head: str = "mse"
    value: bool = False
    elites: int = 0
    weight_normalisation: bool = False

    def __post_init__(self) -> None:
        for name in ("predict_window", "batch", "validate_every", "patience", "members", "rows"):
            _check_count(name, getattr(self, name), 1, LARGEST.get(name, MOST))
        for name in ("horizon", "supervised_steps", "meta_steps", "seed"):
            least, most = int(name == "horizon"), LARGEST.get(name, MOST)
            _check_count(name, getattr(self, name), least, most)
        for name in ("hidden", "adapt_windows"):
            values = getattr(self, name)
            if not isinstance(values, tuple) or not values:
                raise ValueError(f"{name}: expected a list of integers, got {values!r}")
            for value in values:
                _check_count(name, value, 1, LARGEST[name])
        for name in ("learning_rate", "gradient_limit", "weight_decay", "noise"):
            value, zero = getattr(self, name), name in ("weight_decay", "noise")
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not (0 < value < math.inf or (zero and value == 0)):
                expected = "a number of at least 0" if zero else "a number above 0"
                raise ValueError(f"{name}: expected {expected}, got {value!r}")
        choices = {"activation": ACTIVATIONS, "precision": PRECISIONS, "head": HEADS}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name}: expected one of {known}, got {getattr(self, name)!r}")
        _check_count("elites", self.elites, 0, self.members)
        if self.head == "gaussian" and self.members == 1:
            raise ValueError("head: gaussian: expected members of at least 2, got 1")
        for name in ("value", "weight_normalisation"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name}: expected true or false, got {getattr(self, name)!r}")
        if self.weight_normalisation and self.members == 1:
            raise ValueError("weight_normalisation: expected members of at least 2, got 1")
        for name in ("options", "augmentation"):
            if not isinstance(getattr(self, name), Mapping):
                raise ValueError(f"{name}: expected a mapping, got {getattr(self, name)!r}")


def _check_count(name: str, value: object, least: int, most: int = MOST) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value:
        raise ValueError(f"{name}: expected an integer of at least {least}, got {value!r}")
    if value > most:
        raise ValueError(f"{name}: expected an integer of up to {most}, got {value}")
