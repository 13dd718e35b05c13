"""Augmentation of the hexapod's segments, as if the marker body had been mounted differently.

The measured pose is turned and tilted by the same amount over a whole segment. One set of logs then
yields many robots, so an update rule has something to adapt to.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.robots.hexapod import SPEC

_CHANGES = tuple(quantity.name for quantity in SPEC.changes)
# Pairs of components along the horizontal axes of the pose, in features and in changes.
FEATURE_PAIRS = tuple(
    tuple(SPEC.features.index(name) for name in pair)
    for pair in (("v_forward", "v_left"), ("roll", "pitch"))
)
CHANGE_PAIRS = tuple(
    tuple(_CHANGES.index(name) for name in pair)
    for pair in (("forward", "left"), ("roll", "pitch"))
)


@dataclass(frozen=True)
class Augmentation:
    """Standard deviations of the marker body's mounting: yaw_offset, tilt_offset [rad]."""

    yaw_offset: float = 0.0
    tilt_offset: float = 0.0

    def __post_init__(self) -> None:
        if self.yaw_offset < 0 or self.tilt_offset < 0:
            raise ValueError("yaw_offset, tilt_offset: expected 0 or more")

    def __call__(
        self, features: Tensor, actions: Tensor, changes: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return segments (N, T, ...) as other markers would have measured them."""
        n = len(features)
        turn = self.yaw_offset * torch.randn(n, 1, generator=generator).to(features)
        tilt = self.tilt_offset * torch.randn(n, 1, 2, generator=generator).to(features)
        features, changes = features.clone(), changes.clone()
        for first, second in FEATURE_PAIRS:
            _turn(features, first, second, turn)
        for first, second in CHANGE_PAIRS:
            _turn(changes, first, second, turn)
        features[..., list(FEATURE_PAIRS[1])] += tilt
        return features, actions, changes


def _turn(rows: Tensor, first: int, second: int, angle: Tensor) -> None:
    """Rotate two components of rows (N, T, ...) in place into a frame turned by angle (N, 1)."""
    cos, sin = torch.cos(angle), torch.sin(angle)
    a, b = rows[..., first].clone(), rows[..., second].clone()
    rows[..., first] = cos * a + sin * b
    rows[..., second] = cos * b - sin * a
