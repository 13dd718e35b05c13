"""`bench adapt`: an adaptation that is accepted, over one forward and one backward pass."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Generator

from ros_mbmrl.bench import adapt
from ros_mbmrl.bench.adapt import QUICK
from ros_mbmrl.bench.problem import make_problem, make_window
from ros_mbmrl.bench.products import products_of


@pytest.mark.parametrize("hidden", [(32, 32), (64,), (48, 48, 48)])
def test_what_is_measured_is_an_accepted_adaptation(hidden: tuple[int, ...]) -> None:
    generator = Generator().manual_seed(0)
    problem = make_problem(hidden, "silu", generator)
    window = make_window(problem, 16, generator)
    guard = adapt.make_guard(problem, QUICK)
    report = adapt.adapted(problem, guard, window).report
    assert report.accepted and report.transitions == 16
    written = adapt.not_judged(problem, guard, window)
    judged = adapt.adapted(problem, guard, window).parameters
    assert written.keys() == judged.keys()
    for name, value in judged.items():
        torch.testing.assert_close(written[name], value, rtol=1e-4, atol=1e-6)
        assert name.startswith("psi.") or not torch.equal(value, guard.parameters[name])


def test_its_opponent_is_one_forward_and_one_backward_pass() -> None:
    generator = Generator().manual_seed(0)
    problem = make_problem((24, 24), "tanh", generator)
    passes = adapt.bare(problem, make_window(problem, 16, generator))
    layers = 3
    # Forward, gradients of the weights, and of all but the first inputs.
    assert len(products_of(passes)) == layers + layers + (layers - 1)
    gradients = passes()
    assert isinstance(gradients, tuple) and len(gradients) == 2 * layers
    assert all(bool(g.any()) for g in gradients)


def test_the_ensemble_has_as_much_to_adapt_to() -> None:
    generator = Generator().manual_seed(0)
    problem = make_problem((32, 32), "silu", generator)
    window = make_window(problem, 16, generator)
    whole = adapt.ensemble_of(problem)
    one = adapt.adapted(problem, adapt.make_guard(problem, QUICK), window).report
    many = adapt.adapted(whole, adapt.make_guard(whole, QUICK), window).report
    assert many.accepted and many.error_after == pytest.approx(one.error_after, rel=1e-3)


def test_results_have_the_ratio() -> None:
    results = adapt.run(replace(QUICK, repeats=2)).results
    assert results["over_forward_backward"] > 0
    assert results["update_over_forward_backward"] > 0
    assert results["ensemble_over_one"] > 0
    assert results["accepted"] is True
    assert results["ms"] == results["medians_ms"]["adapt"]
    with pytest.raises(ValueError, match="window: expected an integer of at least 6, got 5"):
        adapt.Config(window=5)
