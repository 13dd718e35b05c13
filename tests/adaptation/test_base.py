"""Tasks that share rows, as copies of a window do in the guard, are as many tasks of their own."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Generator

from ros_mbmrl.adaptation import METHODS, make_rule
from ros_mbmrl.adaptation.base import Support, plausible_rows, robust_error
from ros_mbmrl.adaptation.guard import norm_of
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.networks.tasks import spread
from ros_mbmrl.networks.updates import LayerUpdate, Update

SIZES, ROWS, COPIES = (5, 8, 8, 3), 9, 3


@pytest.mark.parametrize("windows", [1, 2])
@pytest.mark.parametrize("method", METHODS)
def test_their_updates_are_those_of_tasks_of_their_own(method: str, windows: int) -> None:
    g = Generator().manual_seed(0)
    mlp, rule, tasks = MLP(SIZES), make_rule(method), COPIES * windows
    prior = mlp.init(g)
    own = {
        name: 0.3 * torch.randn(value.shape, generator=g)
        for name, value in rule.init(mlp, prior, g).items()
    }
    parameters = {**prior, **own}
    x, y = torch.randn(windows, ROWS, 5, generator=g), torch.randn(windows, ROWS, 3, generator=g)
    weight = (torch.rand(tasks, ROWS, 1, generator=g) > 0.3).float()
    shared = Support(x, y, weight, torch.ones(3))
    apart = replace(shared, x=spread(x, tasks), y=spread(y, tasks))
    query = torch.randn(tasks, 4, 5, generator=g)
    first, second = (rule.update(mlp, parameters, each) for each in (shared, apart))
    outputs = [mlp.forward_updated(parameters, update, query).outputs for update in (first, second)]
    torch.testing.assert_close(*outputs, atol=1e-5, rtol=1e-5)
    norms = [norm_of(update).expand(tasks) for update in (first, second)]
    torch.testing.assert_close(*norms, atol=1e-5, rtol=1e-5)
    if method != "mb":
        assert not torch.allclose(outputs[0], mlp.forward(parameters, query))
        last = slice(tasks - windows, tasks)
        alone = mlp.forward_updated(parameters, first.tasks(last), query[last]).outputs
        torch.testing.assert_close(alone, outputs[0][last], atol=1e-5, rtol=1e-5)


def test_weights_of_a_task_sum_to_one_or_are_all_zero() -> None:
    weight = torch.tensor([[1.0, 3.0, 0.0], [0.0, 0.0, 0.0]])[..., None]
    support = Support(torch.zeros(2, 3, 5), torch.zeros(2, 3, 3), weight, torch.ones(3))
    assert support.share[..., 0].tolist() == [[0.25, 0.75, 0.0], [0.0, 0.0, 0.0]]


def test_a_pass_of_the_prior_that_is_known_is_not_computed_again() -> None:
    mlp, g = MLP(SIZES), Generator().manual_seed(0)
    prior, x = mlp.init(g), torch.randn(1, ROWS, 5, generator=g)
    plain = Support(x, torch.zeros(1, ROWS, 3), torch.ones(1, ROWS, 1), torch.ones(3))
    known = replace(plain, prior=plain.forward(mlp, prior, mlp.no_update))
    assert known.forward(mlp, prior, mlp.no_update) is known.prior
    shift = Update(tuple(LayerUpdate(bias=torch.ones(1, 1, width)) for width in SIZES[1:]))
    moved = known.forward(mlp, prior, shift).outputs
    torch.testing.assert_close(moved, plain.forward(mlp, prior, shift).outputs)
    assert not torch.allclose(moved, plain.forward(mlp, prior, mlp.no_update).outputs)


def test_an_error_far_beyond_all_others_counts_as_the_limit() -> None:
    residual = torch.tensor([[1.0, -2.0], [100.0, 0.0], [-100.0, 100.0]])
    scale = torch.tensor([0.5, 1.5])
    assert robust_error(residual, scale).tolist() == [3.25, 4.0, 16.0]
    assert robust_error(residual, scale, limit=1.0).tolist() == [1.0, 0.25, 1.0]


def test_rows_with_a_number_that_no_sensor_can_mean_are_left_out() -> None:
    x, y = torch.zeros(5, 2), torch.zeros(5, 3)
    x[1, 1], y[2, 0], x[3, 0], y[4, 2] = 10.0, -11.0, torch.nan, 9.9
    assert plausible_rows(x, y)[:, 0].tolist() == [1.0, 0.0, 0.0, 0.0, 1.0]
    assert plausible_rows(x, y, limit=20.0)[:, 0].tolist() == [1.0, 1.0, 1.0, 0.0, 1.0]
