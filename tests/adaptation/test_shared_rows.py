"""Tasks that share rows, as copies of a window do in the guard, are as many tasks of their own."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Generator

from ros_mbmrl.adaptation import METHODS, make_rule
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.guard import norm_of
from ros_mbmrl.networks.mlp import MLP, LayerUpdate, spread

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


def test_parts_of_fewer_tasks_hold_for_every_so_many_th() -> None:
    left, right = torch.arange(2.0).reshape(2, 1, 1), torch.arange(6.0).reshape(6, 1, 1)
    update = LayerUpdate(left, right)
    some = update.tasks(slice(1, 4))
    assert some.left is not None and some.right is not None
    assert some.left.flatten().tolist() == [1, 0, 1]
    assert some.right.flatten().tolist() == [1, 2, 3]
    twice = update.tasks(slice(2, 4)).repeated(2)
    assert twice.left is not None and twice.left.flatten().tolist() == [0, 0, 1, 1]
    wanted = update.where(torch.tensor([True] * 3 + [False] * 3)).left
    assert wanted is not None and wanted.flatten().tolist() == [0, 1, 0, 0, 0, 0]
    both = update.plus(LayerUpdate(right, right))
    assert both.left is not None and both.left[:, 0, 0].tolist() == [0, 1, 0, 1, 0, 1]
