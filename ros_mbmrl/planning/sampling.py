"""Candidate action sequences, the same for every planner that searches by sampling.

Bounds and rate limits are enforced here, before the roll-outs, so that a cost is the cost of what
is really executed. The noise is correlated in time, and a part of the candidates holds one action:
white noise mostly cancels itself out over a horizon.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

import torch
from torch import Generator, Tensor

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.live import Live
from ros_mbmrl.robots.spec import RobotSpec

PARTICLES = ("ts_inf", "ts1", "mean")
MOST_SAMPLES = 100_000  # while the robot moves; the check at the start allows fewer


@dataclass(frozen=True)
class Limits:
    """Limits of a robot's commands, all (da,) float32, on the planner's device.

    Args:
        low, high: range.
        max_step: largest change in one period.
    """

    low: Tensor
    high: Tensor
    max_step: Tensor

    @staticmethod
    def of(spec: RobotSpec) -> Limits:
        """Return the limits of a robot."""
        parts = (spec.action_low, spec.action_high, spec.action_step)
        return Limits(*(torch.as_tensor(part, dtype=torch.float32) for part in parts))

    def to(self, device: torch.device) -> Limits:
        """Return the limits on `device`."""
        return Limits(*(part.to(device) for part in (self.low, self.high, self.max_step)))

    @cached_property
    def crosses(self) -> bool:
        """Return whether every command can cross its whole range in one period."""
        return bool((self.max_step >= self.span).all())

    @property
    def span(self) -> Tensor:
        """Return high - low, (da,)."""
        return self.high - self.low

    def enforce_(self, actions: Tensor, previous: Tensor) -> Tensor:
        """Clip sequences (..., H, da) in place, each step to what the one before it can reach.

        previous: (da,), the command before the first. If it lies so far outside of the range that
        range and rate contradict each other, the range wins.
        """
        first, *others = actions.unbind(-2)
        first.clamp_(previous - self.max_step, previous + self.max_step)
        if self.crosses:
            return actions.clamp_(self.low, self.high)
        before = first.clamp_(self.low, self.high)
        for step in others:
            step.clamp_(before - self.max_step, before + self.max_step)
            before = step.clamp_(self.low, self.high)
        return actions


@dataclass(frozen=True)
class SamplingConfig:
    """Parameters of all sampling planners.

    Args:
        num_samples: candidates in an iteration (K).
        horizon: steps looked ahead (H).
        sigma: standard deviation of the noise, as a fraction of each command's range.
        correlation: of the noise from one step to the next, AR(1); 0 is white noise.
        held_fraction: part of the candidates that hold their first action over the horizon.
        terminal_value: whether a plan's cost is less the value of where it ends, if the model has
            a value function.
        particles: how an ensemble moves a candidate: by one of its members all along (`ts_inf`), by
            another one in every step (`ts1`), or by the mean of all (`mean`).
        sample: draw from the variance that Gaussian heads predict, the same for all candidates.
        risk: weight beta of the disagreement: every candidate is imagined by every member, or by
            every draw of a latent variable, and costs the mean plus beta times the standard
            deviation of what they say.
    """

    LIVE: ClassVar[Mapping[str, Live]] = MappingProxyType(
        {
            "num_samples": Live(1, MOST_SAMPLES, "candidates in an iteration", whole=True),
            "sigma": Live(1e-6, 10.0, "standard deviation of the noise, as a part of the range"),
            "correlation": Live(0.0, 0.999, "correlation of the noise from step to step"),
            "held_fraction": Live(0.0, 1.0, "part of the candidates that hold their first action"),
        }
    )

    num_samples: int = 500
    horizon: int = 5
    sigma: float = 0.2
    correlation: float = 0.5
    held_fraction: float = 0.25
    terminal_value: bool = True
    particles: str = "ts_inf"
    sample: bool = False
    risk: float = 0.0

    def __post_init__(self) -> None:
        check_count("num_samples", self.num_samples)
        check_count("horizon", self.horizon)
        for name, live in self.LIVE.items():
            if not live.whole:
                check_range(name, getattr(self, name), live.low, live.high)
        check_flag("sample", self.sample)
        check_range("risk", self.risk, 0.0, 1e6)
        if self.particles not in PARTICLES:
            raise ValueError(f"particles: expected one of {PARTICLES}, got {self.particles!r}")
        if self.particles == "mean" and (self.sample or self.risk):
            name = "sample" if self.sample else "risk"
            raise ValueError(f"{name}: expected particles of ts_inf or ts1, got mean")


class Sampler:
    """Source of candidates around a mean plan, or over the whole range if there is none."""

    def __init__(self, limits: Limits, config: SamplingConfig) -> None:
        self._limits, self._config = limits, config
        self._held = min(round(config.held_fraction * config.num_samples), config.num_samples - 1)

    def sample(
        self,
        mean: Tensor | None,
        std: Tensor,
        previous: Tensor,
        generator: Generator,
        horizon: int | None = None,
    ) -> Tensor:
        """Return candidates (K, H, da) within the limits, float32; the first is the mean itself.

        Args:
            mean: (H, da). None: every candidate gets its own, uniform over the range and constant.
            std: (da,) or (H, da), in the unit of the command.
            previous: (da,), the last command sent.
            generator: of the random numbers.
            horizon: H, if it is not the configured one.
        """
        count, dims = self._config.num_samples, len(self._limits.low)
        shape, device = (count, horizon or self._config.horizon, dims), generator.device
        noise = torch.randn(shape, generator=generator, device=device)
        if mean is None:
            centre = torch.rand((count, 1, dims), generator=generator, device=device)
            actions = self.spread_(noise, self.anywhere_(centre), std)
        else:
            actions = self.spread_(noise, mean, std)
            actions[0] = mean
        return self._limits.enforce_(actions, previous)

    def anywhere_(self, shares: Tensor) -> Tensor:
        """Turn shares of the range (..., da), 0 to 1, into commands, in place."""
        return shares.mul_(self._limits.span).add_(self._limits.low)

    def spread_(self, noise: Tensor, centre: Tensor, std: Tensor) -> Tensor:
        """Turn white noise into candidates (..., K, H, da) about `centre`, in place; no limits.

        centre: broadcasts to the candidates. The last candidates hold their first action.
        """
        self._correlate_(noise)
        noise.mul_(std).add_(centre)
        held = noise[..., self._config.num_samples - self._held :, :, :]
        held[..., 1:, :] = held[..., :1, :]
        return noise

    def _correlate_(self, noise: Tensor) -> None:
        """Turn white noise (..., K, H, da) into AR(1) noise of the same variance, in place."""
        beta = self._config.correlation
        innovation = math.sqrt(1 - beta * beta)
        for before, step in pairwise(noise.unbind(-2)):
            step.mul_(innovation).add_(before, alpha=beta)


def check_count(name: str, value: object) -> None:
    """Raise ValueError unless `value` is an integer above 0."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}: expected an integer above 0, got {value!r}")


def check_flag(name: str, value: object) -> None:
    """Raise ValueError unless `value` is true or false."""
    if value is not True and value is not False:
        raise ValueError(f"{name}: expected true or false, got {value!r}")


def check_range(name: str, value: object, low: float, high: float) -> None:
    """Raise ValueError unless `value` is a number from `low` to `high`."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not low <= value <= high:  # type: ignore[operator]
        raise ValueError(f"{name}: expected a number from {low:g} to {high:g}, got {value!r}")


ConfigT = TypeVar("ConfigT", bound=SamplingConfig)


def configure(config: type[ConfigT], overrides: Mapping[str, Any]) -> ConfigT:
    """Return a planner's configuration from parameters by name. Raises UserError."""
    known = [field.name for field in fields(config)]
    for name in overrides:
        if name not in known:
            raise UserError(
                f"unknown planner parameter '{name}': expected one of {', '.join(sorted(known))}"
            )
    try:
        return config(**overrides)
    except ValueError as error:
        raise UserError(f"planner parameter {error}") from None
