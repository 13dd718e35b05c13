"""Augmentation of the hexapod's segments: what may change between runs and is known exactly.

A mirrored robot walks mirrored, and a marker body that was laid on anew turns and tilts the
measured pose. Both make more robots of the same logs, each the same over a whole segment, so that
an update rule has something to adapt to. Cost: two small products a segment.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Generator, Tensor

from ros_mbmrl.robots.hexapod import SPEC


@dataclass(frozen=True)
class Augmentation:
    """mirror: share of the segments that are mirrored.

    yaw_offset, tilt_offset: standard deviations of what the marker body is turned and tilted [rad].
    """

    mirror: float = 0.0
    yaw_offset: float = 0.0
    tilt_offset: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.mirror <= 1:
            raise ValueError(f"mirror: expected a share between 0 and 1, got {self.mirror}")
        if self.yaw_offset < 0 or self.tilt_offset < 0:
            raise ValueError("yaw_offset, tilt_offset: expected 0 or more")

    def __call__(
        self, features: Tensor, actions: Tensor, changes: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Segments (N, T, ...), each as another robot would have made it."""
        n = len(features)
        mirrored = torch.rand(n, 1, 1, generator=generator) < self.mirror
        swapped = mirror(features, actions, changes)
        features, actions, changes = (
            torch.where(mirrored, new, old)
            for new, old in zip(swapped, (features, actions, changes), strict=True)
        )
        turn = self.yaw_offset * torch.randn(n, 1, generator=generator)
        tilt = self.tilt_offset * torch.randn(n, 1, 2, generator=generator)
        features, changes = features.clone(), changes.clone()
        for rows, names in ((features, ("v_forward", "v_left")), (features, ("roll", "pitch"))):
            _turn(rows, [SPEC.features.index(name) for name in names], turn)
        for names in (("forward", "left"), ("roll", "pitch")):
            _turn(changes, [_changes().index(name) for name in names], turn)
        features[..., [SPEC.features.index("roll"), SPEC.features.index("pitch")]] += tilt
        return features, actions, changes


def mirror(features: Tensor, actions: Tensor, changes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The robot in a mirror that stands along its forward axis; twice is the identity.

    The sides' legs are half a turn out of phase (an alternating tripod), hence the signs of their
    sines and cosines.
    """
    order, sign = _mirrored(SPEC.features)
    change_order, change_sign = _mirrored(_changes())
    return features[..., order] * sign, actions.flip(-1), changes[..., change_order] * change_sign


def _turn(rows: Tensor, pair: list[int], angle: Tensor) -> None:
    """Components (N, T, pair), in place, as seen in a frame that is turned by angle (N, 1)."""
    cos, sin = torch.cos(angle), torch.sin(angle)
    first, second = rows[..., pair[0]].clone(), rows[..., pair[1]].clone()
    rows[..., pair[0]] = cos * first + sin * second
    rows[..., pair[1]] = cos * second - sin * first


def _changes() -> tuple[str, ...]:
    return tuple(quantity.name for quantity in SPEC.changes)


@cache
def _mirrored(names: tuple[str, ...]) -> tuple[list[int], Tensor]:
    odd = {"v_left", "left", "roll", "yaw", "gyro_x", "gyro_z"}
    order, signs = [], []
    for name in names:
        other = name
        if "left_" in name:
            other = name.replace("left_", "right_")
        elif "right_" in name:
            other = name.replace("right_", "left_")
        order.append(names.index(other))
        out_of_phase = name.endswith("_leg")
        signs.append(-1.0 if name in odd or out_of_phase else 1.0)
    return order, torch.tensor(signs)
