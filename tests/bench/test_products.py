"""Matrix products are counted as they are done, and the floor does the same ones."""

from __future__ import annotations

import torch

from ros_mbmrl.bench.products import Floor, Product, layers_of, products_of


def test_products_are_counted_with_their_shapes_and_layout() -> None:
    a, b = torch.zeros(2, 3), torch.zeros(3, 4)
    stack = torch.zeros(5, 2, 3)

    def run() -> None:
        a @ b
        torch.addmm(torch.zeros(4), a, torch.zeros(4, 3).mT)
        torch.bmm(stack, stack.mT)
        torch.baddbmm(torch.zeros(5, 2, 2), stack, stack.mT)
        (a + 1).sum()

    square = Product(2, 3, 2, batch=5, transposed=(False, True))
    second = Product(2, 3, 4, transposed=(False, True))
    assert products_of(run) == [Product(2, 3, 4), second, square, square]
    assert square.operations == 5 * 2 * 2 * 3 * 2


def test_backward_passes_are_counted() -> None:
    x, w = torch.randn(6, 3), torch.randn(3, 2, requires_grad=True)
    products = products_of(lambda: torch.autograd.grad((x @ w).square().sum(), w))
    assert [(p.n, p.k, p.m) for p in products] == [(6, 3, 2), (3, 6, 2)]


def test_the_floor_does_these_products_and_no_other() -> None:
    products = [*layers_of((3, 8, 2), rows=5), Product(2, 3, 2, 4, (True, True))]
    products += layers_of((3, 8, 2), rows=5)
    for dtype in (torch.float32, torch.bfloat16):
        floor = Floor(products, torch.Generator().manual_seed(0), dtype)
        assert products_of(floor.run) == products
        assert len(floor._buffers) == 9  # equal factors are one
