"""Quaternions against scipy's, and the ways back."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from ros_mbmrl.robots import rotations

DRAWN = Rotation.random(50, random_state=3)
WXYZ = torch.as_tensor(DRAWN.as_quat()[:, [3, 0, 1, 2]], dtype=torch.float64)
VECTORS = torch.randn(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_turning_is_as_scipys() -> None:
    expected = torch.as_tensor(DRAWN.apply(VECTORS.numpy()))
    torch.testing.assert_close(rotations.rotate(WXYZ, VECTORS), expected)
    back = rotations.rotate(rotations.inverse(WXYZ), expected)
    torch.testing.assert_close(back, VECTORS)
    product = (DRAWN[:25] * DRAWN[25:]).as_matrix()
    found = rotations.multiply(WXYZ[:25], WXYZ[25:])
    np.testing.assert_allclose(
        rotations.rotate(found[:, None], torch.eye(3, dtype=torch.float64)[None]).numpy(),
        np.swapaxes(product, 1, 2),
        atol=1e-12,
    )


def test_up_is_the_z_axis_seen_from_the_body() -> None:
    expected = torch.as_tensor(DRAWN.inv().apply([0.0, 0.0, 1.0]))
    torch.testing.assert_close(rotations.up(WXYZ), expected)


@pytest.mark.parametrize("size", [0.0, 1e-9, 1e-5, 1e-4, 0.3, 3.0])
def test_a_vector_comes_back(size: float) -> None:
    turn = VECTORS / VECTORS.norm(dim=1, keepdim=True) * size
    found = rotations.from_vector(turn)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(50, dtype=torch.float64))
    torch.testing.assert_close(rotations.to_vector(found), turn)
    torch.testing.assert_close(rotations.to_vector(-found), turn)  # the same rotation
    expected = Rotation.from_rotvec(turn.numpy()).as_quat()[:, [3, 0, 1, 2]]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-9)


def test_nothing_turns_by_more_than_half_a_turn() -> None:
    turn = torch.tensor([[0.0, 0.0, 1.5 * math.pi]])
    found = rotations.to_vector(rotations.from_vector(turn))
    torch.testing.assert_close(found, torch.tensor([[0.0, 0.0, -0.5 * math.pi]]))


def test_lengths_are_one_again() -> None:
    found = rotations.normalised(torch.tensor([[2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]))
    torch.testing.assert_close(found, torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]))
