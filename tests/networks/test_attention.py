"""Inputs attend to transitions as eq. 5 and 7 of GSSM say, whatever holds the keys."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ros_mbmrl.networks import attention
from ros_mbmrl.networks.attention import Attention
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.updates import Update

MANY = MLP((2, 8, 3), "relu")


def as_they_are() -> Parameters:
    """Return a layer t(x) = relu(x), so that similarities can be computed by hand."""
    return {"cosine.w": torch.eye(2), "cosine.b": torch.zeros(2)}


def made(cosine: bool, tasks: int = 3) -> tuple[Parameters, Update, Tensor]:
    """Return parameters, an update of attention alone, and inputs (tasks, 5, 2)."""
    g = torch.Generator().manual_seed(0)
    parameters = MANY.init(g) | attention.init(2, 4, cosine, g)
    x, weight = torch.randn(tasks, 6, 2, generator=g), torch.ones(tasks, 6, 1)
    weight[:, 4:] = 0.0
    keys = attention.keys(parameters, x, weight, 2.0)
    attended = Attention(keys, torch.randn(tasks, 6, 8, generator=g))
    inputs = torch.randn(tasks, 5, 2, generator=g)
    return parameters, Update(MANY.no_update.layers, attention=attended), inputs


def test_shares_are_a_softmax_of_cosines_times_the_temperature() -> None:
    """Eq. 5 on three points: at 0, 45 and 90 degrees from the first axis."""
    parameters = as_they_are()
    x = torch.tensor([[[2.0, 0.0], [1.0, 1.0], [0.0, 3.0]]])
    keys = attention.keys(parameters, x, torch.ones(1, 3, 1), temperature=2.0)
    found = attention.shares(keys, attention.queries(parameters, x[:, :1]))[0, 0]
    each = [math.exp(2.0 * math.cos(angle)) for angle in (0.0, math.pi / 4, math.pi / 2)]
    torch.testing.assert_close(found, torch.tensor(each) / sum(each))


def test_dot_products_are_scaled_by_the_root_of_their_number() -> None:
    parameters = {"query.w": torch.eye(2), "query.b": torch.zeros(2)}
    x = torch.tensor([[[2.0, 0.0], [1.0, 1.0]]])
    keys = attention.keys(parameters, x, torch.ones(1, 2, 1), temperature=1.0)
    found = attention.shares(keys, attention.queries(parameters, x))[0, 0]
    each = torch.tensor([4.0, 2.0]) / math.sqrt(2.0)
    torch.testing.assert_close(found, each.softmax(dim=0))


@pytest.mark.parametrize("cosine", [True, False])
def test_a_small_temperature_is_the_mean_of_the_transitions_that_count(cosine: bool) -> None:
    g = torch.Generator().manual_seed(1)
    parameters = attention.init(2, 4, cosine, g)
    x, weight = torch.randn(1, 5, 2, generator=g), torch.ones(1, 5, 1)
    weight[0, 3] = 0.0
    keys = attention.keys(parameters, x, weight, temperature=1e-9)
    found = attention.shares(keys, attention.queries(parameters, x))
    torch.testing.assert_close(found[0, 0], torch.tensor([0.25, 0.25, 0.25, 0.0, 0.25]))


@given(order=st.permutations(range(6)))
def test_the_order_of_the_transitions_does_not_matter(order: list[int]) -> None:
    parameters, update, x = made(cosine=True)
    assert update.attention is not None
    keys, values = (part[:, order] for part in (update.attention.keys, update.attention.values))
    moved = Update(update.layers, attention=Attention(keys, values))
    expected = MANY.forward_updated(parameters, update, x).outputs
    torch.testing.assert_close(MANY.forward_updated(parameters, moved, x).outputs, expected)


@pytest.mark.parametrize("cosine", [True, False])
def test_a_written_update_predicts_as_the_update_does(cosine: bool) -> None:
    parameters, update, x = made(cosine)
    for k in range(3):
        own = update.tasks(slice(k, k + 1))
        written = MANY.materialise(parameters, own)
        expected = MANY.forward_updated(parameters, update, x).outputs[k]
        torch.testing.assert_close(MANY.forward(written, x[k]), expected)
    assert attention.attends(written) and not attention.attends(parameters)


def test_tasks_that_are_not_wanted_attend_to_nothing() -> None:
    parameters, update, x = made(cosine=True)
    found = MANY.forward_updated(
        parameters, update.where(torch.tensor([True, False, True])), x
    ).outputs
    expected = MANY.forward_updated(parameters, update, x).outputs
    plain = MANY.forward(parameters, x)
    torch.testing.assert_close(found[[0, 2]], expected[[0, 2]])
    torch.testing.assert_close(found[1], plain[1])
    assert not torch.allclose(expected[1], plain[1])


def test_each_task_is_repeated_one_after_the_other() -> None:
    parameters, update, x = made(cosine=False)
    expected = MANY.forward_updated(parameters, update, x).outputs.repeat_interleave(2, dim=0)
    twice = update.repeated(2)
    found = MANY.forward_updated(parameters, twice, x.repeat_interleave(2, dim=0)).outputs
    torch.testing.assert_close(found, expected)


def test_inputs_of_one_task_go_through_all_updates() -> None:
    parameters, update, x = made(cosine=True)
    found = MANY.forward_updated(parameters, update, x[:1]).outputs
    expected = MANY.forward_updated(parameters, update, x[:1].expand(3, -1, -1)).outputs
    torch.testing.assert_close(found, expected)


def test_an_update_is_drawn_around_its_mean() -> None:
    parameters, update, x = made(cosine=True)
    g = torch.Generator().manual_seed(2)
    spread = torch.randn(3, 2, 8, generator=g)
    drawn = Update(update.layers, attention=update.attention, spread=spread)
    none = MANY.forward_updated(parameters, drawn.drawn(torch.zeros(3, 5, 2)), x).outputs
    torch.testing.assert_close(none, MANY.forward_updated(parameters, update, x).outputs)
    noise = torch.randn(3, 5, 2, generator=g)
    found = drawn.drawn(noise).layers[0].bias
    torch.testing.assert_close(found, torch.einsum("ntj,njh->nth", noise, spread))
