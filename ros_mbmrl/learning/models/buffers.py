"""Memory that is kept from one step to the next: to ask for it anew costs more than a layer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor


class Buffers:
    """Tensors by name, with whatever was left in them."""

    def __init__(self) -> None:
        self._held: dict[str, Tensor] = {}

    def of(self, name: str, shape: Sequence[int], like: Tensor) -> Tensor:
        """Return a tensor of this shape, and of the type and device of another."""
        size, held = math.prod(shape), self._held.get(name)
        if held is None or len(held) < size:
            held = self._held[name] = like.new_empty(size)
        return held[:size].view(*shape)

    def stacks(
        self, name: str, sizes: Sequence[int], shapes: Sequence[Sequence[int]], like: Tensor
    ) -> tuple[list[Tensor], list[list[Tensor]]]:
        """Return matrices whose rows are several batches, one below the other.

        Args:
            name: of the matrices.
            sizes: columns of each matrix.
            shapes: (n, T) of each batch.
            like: of their type and device.

        Returns:
            The matrices (rows, size), and their parts by batch and matrix, (n, T, size).
        """
        rows = [math.prod(shape) for shape in shapes]
        whole = [self.of(f"{name} {k}", (sum(rows), size), like) for k, size in enumerate(sizes)]
        parts = zip(*(torch.split(each, rows) for each in whole), strict=True)
        return whole, [
            [part.view(*shape, -1) for part in each]
            for shape, each in zip(shapes, parts, strict=True)
        ]
