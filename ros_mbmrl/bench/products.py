"""The matrix products of a computation alone, as its floor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ros_mbmrl.bench.timing import interleave

NO_BFLOAT16 = "no bfloat16 here: a product takes {:.1f} times as long as in float32; null"
DTYPES = (torch.float32, torch.bfloat16)

# operator -> index of its first factor among the arguments
PRODUCTS = {"aten::mm": 0, "aten::bmm": 0, "aten::addmm": 1, "aten::baddbmm": 1}


@dataclass(frozen=True)
class Product:
    """Product of a (batch, n, k) and a (batch, k, m); transposed: memory layout of each factor."""

    n: int
    k: int
    m: int
    batch: int = 1
    transposed: tuple[bool, bool] = (False, False)

    @property
    def operations(self) -> int:
        """Return the number of multiplications and additions."""
        return 2 * self.batch * self.n * self.k * self.m


def layers_of(sizes: Sequence[int], rows: int) -> list[Product]:
    """Return the products of one pass of `rows` inputs through a network of these layer sizes."""
    return [
        Product(rows, inputs, outputs)
        for inputs, outputs in zip(sizes[:-1], sizes[1:], strict=True)
    ]


def products_of(run: Callable[[], object]) -> list[Product]:
    """Record the products that `run` does, its backward passes included, in order."""
    recorder = _Recorder()
    with recorder:
        run()
    return recorder.products


class _Recorder(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.products: list[Product] = []

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = function._schema.name
        if name in PRODUCTS:
            first = PRODUCTS[name]
            a, b = args[first], args[first + 1]
            batch = a.shape[0] if a.dim() == 3 else 1
            lie = (_transposed(a), _transposed(b))
            self.products.append(Product(a.shape[-2], a.shape[-1], b.shape[-1], batch, lie))
        return function(*args, **(kwargs or {}))


def _transposed(factor: Tensor) -> bool:
    return factor.stride(-1) != 1 and factor.stride(-2) == 1


class Floor:
    """The products and nothing else, always in the same memory.

    Factors and results are allocated once, equal ones shared: no computation that really moves its
    data through these products can be faster.
    """

    def __init__(
        self, products: Sequence[Product], generator: torch.Generator, dtype: torch.dtype
    ) -> None:
        self._dtype, self._generator = dtype, generator
        self._buffers: dict[tuple[Any, ...], Tensor] = {}
        self._steps = [self._step(product) for product in products]

    @torch.inference_mode()
    def run(self) -> None:
        """Compute all products once."""
        for multiply, a, b, out in self._steps:
            multiply(a, b, out=out)

    def _step(self, p: Product) -> tuple[Any, Tensor, Tensor, Tensor]:
        a = self._buffer("factor", p.batch, p.n, p.k, p.transposed[0])
        b = self._buffer("factor", p.batch, p.k, p.m, p.transposed[1])
        out = self._buffer("result", p.batch, p.n, p.m, False)
        if p.batch == 1:
            return torch.mm, a[0], b[0], out[0]
        return torch.bmm, a, b, out

    def _buffer(self, role: str, batch: int, rows: int, columns: int, transposed: bool) -> Tensor:
        key = (role, batch, rows, columns, transposed)
        if key not in self._buffers:
            shape = (batch, columns, rows) if transposed else (batch, rows, columns)
            values = torch.randn(shape, generator=self._generator).to(self._dtype)
            self._buffers[key] = values.mT if transposed else values
        return self._buffers[key]


def bfloat16_slowdown(products: Sequence[Product], generator: torch.Generator) -> float:
    """Return the time of the largest product in bfloat16 over float32: below 1 with support."""
    largest = [max(products, key=lambda product: product.operations)]
    times = interleave(
        {str(dtype): Floor(largest, generator, dtype).run for dtype in DTYPES}, 3, warm_up=1
    )
    return times.ratio(*map(str, reversed(DTYPES)))
