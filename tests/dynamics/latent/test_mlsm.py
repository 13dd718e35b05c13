"""Neural processes: pooled codes, and what an input attends to."""

from __future__ import annotations

import pytest
import torch

from ros_mbmrl.dynamics.latent.base import Rows
from ros_mbmrl.dynamics.latent.encoders import Encoder, decode, joined
from ros_mbmrl.dynamics.latent.mlsm import MLSM0, MLSM1
from ros_mbmrl.networks.mlp import MLP, Parameters

NETWORK = MLP((2, 8, 3), "relu")
each = pytest.mark.parametrize("encoder", [MLSM0(2, 4), MLSM1(2, 4, keys=5)])


def parameters_of(encoder: Encoder) -> Parameters:
    g = torch.Generator().manual_seed(0)
    own = NETWORK.init(g)
    return own | encoder.init(NETWORK, own, g)


def rows_of(tasks: int, length: int, seed: int = 1) -> Rows:
    g = torch.Generator().manual_seed(seed)
    x, y = torch.randn(tasks, length, 2, generator=g), torch.randn(tasks, length, 3, generator=g)
    return Rows(x, y, torch.ones(tasks, length, 1))


@each
def test_z_is_of_the_mean_code_of_the_rows_that_count(encoder: Encoder) -> None:
    parameters, rows = parameters_of(encoder), rows_of(2, 5)
    rows.weight[:, 3:] = 0.0
    code = encoder.look(NETWORK, parameters, rows).code
    pooled = encoder.encoded(NETWORK, parameters, rows)[:, :3].mean(dim=1)
    torch.testing.assert_close(code.mean, encoder.head(parameters, pooled).mean)


@each
def test_the_update_predicts_what_the_decoder_does_with_the_mean_of_z(encoder: Encoder) -> None:
    parameters, rows = parameters_of(encoder), rows_of(3, 5)
    rows.weight[1, 2:] = 0.0
    looked = encoder.look(NETWORK, parameters, rows)
    x = rows_of(3, 4, 2).x
    code, local = encoder.at(parameters, looked, x)
    expected = decode(NETWORK, parameters, x, joined(code.mean, local))
    update = encoder.update(NETWORK, parameters, looked)
    found = NETWORK.forward_updated(parameters, update, x).outputs
    torch.testing.assert_close(found, expected)


def test_the_attentive_one_has_a_second_encoder_of_its_own() -> None:
    encoder = MLSM1(2, 4, keys=5)
    parameters, rows = parameters_of(encoder), rows_of(1, 5)
    assert encoder.reads == 2 * encoder.size
    assert parameters["local.w0"].shape == parameters["encoder.w0"].shape
    before = encoder.look(NETWORK, parameters, rows)
    parameters["local.b2"] = parameters["local.b2"] + 1.0
    after = encoder.look(NETWORK, parameters, rows)
    torch.testing.assert_close(after.code.mean, before.code.mean)
    x = rows_of(1, 4, 2).x
    one, other = (encoder.at(parameters, looked, x)[1] for looked in (before, after))
    assert one is not None and other is not None
    torch.testing.assert_close(other, one + 1.0)  # weights sum to 1
