"""Rotations as unit quaternions (..., 4) in the order w, x, y, z, from body to map frame."""

from __future__ import annotations

import torch
from torch import Tensor

SMALL = 1e-8  # squared angle [rad^2] below which sin(x) / x is taken from its series


def rotate(rotation: Tensor, vector: Tensor) -> Tensor:
    """Turn vectors (..., 3) from the body frame into the map frame."""
    w, axis = rotation[..., :1], rotation[..., 1:]
    twice = 2.0 * torch.linalg.cross(axis, vector)
    turned: Tensor = vector + w * twice + torch.linalg.cross(axis, twice)
    return turned


def inverse(rotation: Tensor) -> Tensor:
    """Return the rotations from the map frame into the body frame."""
    return torch.cat([rotation[..., :1], -rotation[..., 1:]], dim=-1)


def multiply(first: Tensor, second: Tensor) -> Tensor:
    """Return the rotation that turns by `second`, in the body frame of `first`."""
    a, u, b, v = first[..., :1], first[..., 1:], second[..., :1], second[..., 1:]
    scalar = a * b - (u * v).sum(dim=-1, keepdim=True)
    return torch.cat([scalar, a * v + b * u + torch.linalg.cross(u, v)], dim=-1)


def up(rotation: Tensor) -> Tensor:
    """Return the map frame's z axis in the body frame (..., 3): against gravity."""
    w, x, y, z = rotation.unbind(dim=-1)
    return torch.stack(
        [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)], dim=-1
    )


def from_vector(turn: Tensor) -> Tensor:
    """Return the rotation by the angle |turn| [rad] about the direction of `turn` (..., 3)."""
    square = turn.square().sum(dim=-1, keepdim=True)
    angle = square.clamp_min(SMALL).sqrt()
    share = torch.where(square < SMALL, 0.5 - square / 48.0, (0.5 * angle).sin() / angle)
    return torch.cat(
        [torch.where(square < SMALL, 1 - square / 8, (0.5 * angle).cos()), share * turn], -1
    )


def to_vector(rotation: Tensor) -> Tensor:
    """Return the vector (..., 3) [rad] of `from_vector`, no longer than pi."""
    rotation = torch.where(rotation[..., :1] < 0, -rotation, rotation)
    axis = rotation[..., 1:]
    square = axis.square().sum(dim=-1, keepdim=True)
    length = square.clamp_min(SMALL).sqrt()
    angle = 2.0 * torch.atan2(length, rotation[..., :1])
    return torch.where(square < SMALL, 2.0, angle / length) * axis


def normalised(rotation: Tensor) -> Tensor:
    """Return rotations of length 1."""
    return rotation / rotation.square().sum(dim=-1, keepdim=True).sqrt().clamp_min(1e-6)
