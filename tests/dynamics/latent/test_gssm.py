"""Message passing by hand, eq. 5 to 7, and what must not matter to it."""

from __future__ import annotations

from dataclasses import replace

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ros_mbmrl.dynamics.latent.base import Rows
from ros_mbmrl.dynamics.latent.encoders import Looked, decode
from ros_mbmrl.dynamics.latent.gssm import GSSM
from ros_mbmrl.networks.mlp import MLP, Parameters

NETWORK = MLP((2, 8, 3), "relu")
ENCODER = GSSM(size=2, hidden=4, keys=5, temperature=1.5)


def parameters_of(seed: int = 0) -> Parameters:
    g = torch.Generator().manual_seed(seed)
    own = NETWORK.init(g)
    return own | ENCODER.init(NETWORK, own, g)


def rows_of(tasks: int, length: int, seed: int = 1) -> Rows:
    g = torch.Generator().manual_seed(seed)
    x, y = torch.randn(tasks, length, 2, generator=g), torch.randn(tasks, length, 3, generator=g)
    return Rows(x, y, torch.ones(tasks, length, 1))


def by_hand(parameters: Parameters, rows: Rows, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return r_c and r_* of one task, point by point."""
    count = rows.x.shape[1]
    t = [torch.relu(x @ parameters["cosine.w"] + parameters["cosine.b"]) for x in rows.x[0]]
    node = ENCODER.encoded(NETWORK, parameters, rows)[0]

    def shares(asked: Tensor) -> list[Tensor]:
        cosines = [asked @ each / (asked.norm() * each.norm() + 1e-12) for each in t]
        raised = [torch.exp(ENCODER.temperature * cosine) for cosine in cosines]
        return [each / sum(raised) for each in raised]

    weight, bias = parameters["graph.pass_w"], parameters["graph.pass_b"]
    s = [shares(each) for each in t]
    messages = [
        node[i] @ weight + sum(s[i][j] * (node[j] @ weight) for j in range(count))
        for i in range(count)
    ]
    h = [torch.relu(message + bias) for message in messages]
    r = [sum(s[j][i] * h[i] for i in range(count)) for j in range(count)]
    asked = shares(torch.relu(target @ parameters["cosine.w"] + parameters["cosine.b"]))
    return sum(r) / count, sum(asked[i] * h[i] for i in range(count))


def test_three_points_pass_messages_as_the_equations_say() -> None:
    parameters, rows = parameters_of(), rows_of(1, 3)
    target = torch.tensor([0.3, -0.7])
    pooled, passed = by_hand(parameters, rows, target)
    looked = ENCODER.look(NETWORK, parameters, rows)
    expected = ENCODER.head(parameters, pooled)
    torch.testing.assert_close(looked.code.mean[0], expected.mean)
    torch.testing.assert_close(looked.code.deviation[0], expected.deviation)
    found, nothing = ENCODER.at(parameters, looked, target[None, None])
    torch.testing.assert_close(found.mean[0, 0], ENCODER.head(parameters, passed).mean)
    assert nothing is None


@given(order=st.permutations(range(5)))
def test_the_order_of_the_context_does_not_matter(order: list[int]) -> None:
    parameters, rows = parameters_of(), rows_of(2, 5)
    moved = Rows(*(part[:, order] for part in rows))
    x = rows_of(2, 4, 2).x
    for one, other in zip(
        told(ENCODER.look(NETWORK, parameters, rows), parameters, x),
        told(ENCODER.look(NETWORK, parameters, moved), parameters, x),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def told(looked: Looked, parameters: Parameters, x: Tensor) -> tuple[Tensor, ...]:
    return (*looked.code, *ENCODER.at(parameters, looked, x)[0])


def test_rows_that_do_not_count_do_not_matter() -> None:
    parameters, rows = parameters_of(), rows_of(2, 5)
    rows.weight[:, 3:] = 0.0
    short = Rows(*(part[:, :3] for part in rows))
    x = rows_of(2, 4, 2).x
    for one, other in zip(
        told(ENCODER.look(NETWORK, parameters, rows), parameters, x),
        told(ENCODER.look(NETWORK, parameters, short), parameters, x),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_without_similarities_messages_are_means() -> None:
    mean = replace(ENCODER, temperature=1e-9)
    parameters, rows = parameters_of(), rows_of(1, 4)
    looked = mean.look(NETWORK, parameters, rows)
    assert looked.values is not None
    expected = mean.head(parameters, looked.values.mean(dim=1))
    torch.testing.assert_close(looked.code.mean, expected.mean)
    at = mean.at(parameters, looked, rows_of(1, 6, 3).x)[0]
    torch.testing.assert_close(at.mean, expected.mean[:, None].expand(1, 6, 2))


def test_the_update_predicts_what_the_decoder_does_with_the_mean_of_z() -> None:
    parameters, rows = parameters_of(), rows_of(3, 5)
    looked = ENCODER.look(NETWORK, parameters, rows)
    x = rows_of(3, 4, 2).x
    expected = decode(NETWORK, parameters, x, ENCODER.at(parameters, looked, x)[0].mean)
    update = ENCODER.update(NETWORK, parameters, looked)
    found = NETWORK.forward_updated(parameters, update, x).outputs
    torch.testing.assert_close(found, expected)


def test_the_spread_of_the_update_is_that_of_z_of_the_context() -> None:
    parameters, rows = parameters_of(), rows_of(1, 5)
    looked = ENCODER.look(NETWORK, parameters, rows)
    update = ENCODER.update(NETWORK, parameters, looked)
    noise = torch.tensor([[[1.0, -2.0]]])
    bias = update.drawn(noise).layers[0].bias
    torch.testing.assert_close(bias, (noise * looked.code.deviation) @ parameters["condition.b0"])
