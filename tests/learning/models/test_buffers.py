"""Memory that is kept, and batches laid out one below the other."""

from __future__ import annotations

import torch

from ros_mbmrl.learning.models.buffers import Buffers


def test_memory_is_asked_for_once_and_again_only_for_more() -> None:
    buffers, like = Buffers(), torch.zeros(1, dtype=torch.float64)
    first = buffers.of("a", (2, 3), like)
    assert (first.shape, first.dtype) == ((2, 3), torch.float64)
    assert buffers.of("a", (1, 4), like).data_ptr() == first.data_ptr()
    assert buffers.of("b", (2, 3), like).data_ptr() != first.data_ptr()
    assert buffers.of("a", (3, 3), like).data_ptr() != first.data_ptr()


def test_batches_are_parts_of_one_matrix_a_layer() -> None:
    buffers = Buffers()
    whole, parts = buffers.stacks("x", (4, 5), ((2, 3), (1, 2)), torch.zeros(1))
    assert [matrix.shape for matrix in whole] == [(8, 4), (8, 5)]
    assert [[part.shape for part in batch] for batch in parts] == [
        [(2, 3, 4), (2, 3, 5)],
        [(1, 2, 4), (1, 2, 5)],
    ]
    for number, batch in enumerate(parts):
        for part in batch:
            part.fill_(number)
    for matrix in whole:
        assert matrix[:6].eq(0).all() and matrix[6:].eq(1).all()
