"""`bench train`: torch.func takes the same gradient, and memory is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Generator

from ros_mbmrl.bench import train
from ros_mbmrl.bench.problem import make_problem
from ros_mbmrl.bench.products import products_of
from ros_mbmrl.bench.train import QUICK, Config


@pytest.mark.parametrize("steps", [1, 2])
def test_both_take_the_same_gradient(steps: int) -> None:
    config = replace(QUICK, steps=steps)
    generator = Generator().manual_seed(0)
    problem = make_problem(config.hidden, "silu", generator)
    batch = train.make_batch(problem, config, generator)
    _, own = train.gradient(problem, batch)()
    for chunk in (config.segments, 2, 3):
        other = train.vmap_gradient(problem, batch, chunk)
        assert own.keys() == other.keys()
        for name, value in own.items():
            assert value.any(), name
            torch.testing.assert_close(other[name], value, rtol=1e-3, atol=1e-6)


def test_the_floor_has_products_of_both_segments_and_both_passes() -> None:
    generator = Generator().manual_seed(0)
    problem = make_problem((32, 32), "silu", generator)
    batch = train.make_batch(problem, QUICK, generator)
    products = products_of(train.gradient(problem, batch))
    rows = QUICK.segments * QUICK.segment_length
    layers = {(19, 32), (32, 32), (32, 18)}
    forward = [p for p in products if p.n * p.batch == rows and (p.k, p.m) in layers]
    assert len(forward) >= 2 * len(layers)
    # the weights' own gradients: of the future, of the step, and of its change
    assert any(p.k == 3 * rows for p in products)


def test_memory_is_the_peak_of_what_ran() -> None:
    def run() -> None:
        torch.ones(32 * 2**20 // 4)

    found = train.peak_memory(run)
    if found is None:
        pytest.skip("this system does not tell")
    assert 24 < found < 64


def test_results_have_the_ratios() -> None:
    results = train.run(replace(QUICK, repeats=2)).results
    assert results["over_vmap_grad"] > 0
    assert results["gemm_fraction"] > 0
    assert results["over_vmap_grad_at_once"] > 0
    assert {train.STEP, train.PEER, train.WHOLE} <= set(results["peak_memory_mb"])
    with pytest.raises(ValueError, match="chunk: expected an integer of at least 1, got 0"):
        Config(chunk=0)
