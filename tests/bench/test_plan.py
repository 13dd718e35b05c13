"""`bench plan`: everybody plans with the same network, and the floor is what planning must do."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch import Generator

from ros_mbmrl.bench import plan
from ros_mbmrl.bench.plan import QUICK, PlainLoop
from ros_mbmrl.bench.problem import Problem, make_problem
from ros_mbmrl.bench.products import Product, products_of
from ros_mbmrl.bench.timing import Run


@pytest.fixture(scope="module")
def problem() -> Problem:
    return make_problem(QUICK.hidden, QUICK.activation, Generator().manual_seed(1))


def network_part(run: Run, problem: Problem) -> Counter[tuple[int, int, int]]:
    """Products of K candidates with the network's layers, leaving out the cost's."""
    sizes = problem.model.mlp.sizes
    layers = set(zip(sizes[:-1], sizes[1:], strict=True))
    done = [p for p in products_of(run) if p.n == QUICK.samples and (p.k, p.m) in layers]
    return Counter((p.n, p.k, p.m) for p in done)


def floor_of(problem: Problem) -> Counter[tuple[int, int, int]]:
    found: list[Product] = plan.network_products(problem.model.mlp, QUICK)
    return Counter((p.n, p.k, p.m) for p in found)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_floor_is_the_products_that_the_planner_does(
    problem: Problem, dtype: torch.dtype
) -> None:
    run = plan.planner(problem, QUICK, dtype)
    run()
    assert network_part(run, problem) == floor_of(problem)
    assert sum(floor_of(problem).values()) == QUICK.horizon * (len(QUICK.hidden) + 1)


def test_the_plain_loop_does_the_same_and_imagines_the_same(problem: Problem) -> None:
    loop = PlainLoop(problem, QUICK)
    assert network_part(loop.plan, problem) == floor_of(problem)
    state = torch.as_tensor(problem.state, dtype=torch.float32).repeat(QUICK.samples, 1)
    actions = torch.rand(QUICK.samples, 1, 2)
    expected = problem.model.predictor(problem.parameters)(state, actions)[:, 1]
    torch.testing.assert_close(loop._advance(state, actions[:, 0]), expected)


def test_the_peer_does_the_same(problem: Problem) -> None:
    pytest.importorskip("pytorch_mppi")
    run = plan.peer(problem, QUICK)
    assert torch.isfinite(run()).all()  # type: ignore[call-overload]
    assert network_part(run, problem) == floor_of(problem)


def test_results_have_the_ratios(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "find_spec", lambda name: None)
    monkeypatch.setattr(plan, "bfloat16_slowdown", lambda *_: 0.5)
    findings = plan.run(replace(QUICK, repeats=2, horizon=2))
    results = findings.results
    for name in ("float32_over_gemm", "bfloat16_over_float32", "plain_over_gemm", "ms"):
        assert results[name] > 0
    assert results["over_pytorch_mppi"] is None
    assert findings.notes == (plan.NO_PEER,)
    assert results["gflop"] == pytest.approx(2 * 64 * 2 * (19 * 32 + 32 * 32 + 32 * 18) / 1e9)
    assert len(findings.times.seconds["plan"]) == 2


def test_without_units_for_bfloat16_it_is_left_out_and_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plan, "bfloat16_slowdown", lambda *_: 26.04)
    findings = plan.run(replace(QUICK, repeats=2, horizon=2))
    assert findings.results["bfloat16_over_float32"] is None
    assert plan.NO_BFLOAT16.format(26.0) in findings.notes
    assert "plan, bfloat16" not in findings.times.seconds


@pytest.mark.parametrize("wrong", [{"samples": 0}, {"horizon": 0}, {"repeats": 0}, {"threads": 0}])
def test_sizes_that_cannot_be_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        plan.Config(**wrong)
