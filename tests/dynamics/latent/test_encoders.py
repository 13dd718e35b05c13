"""Sizes and temperatures of encoders, and their decoder."""

from __future__ import annotations

import pytest
import torch

from ros_mbmrl.dynamics.latent.encoders import AT_FIRST, SMALLEST, Encoder, decode, joined
from ros_mbmrl.dynamics.latent.gssm import GSSM
from ros_mbmrl.dynamics.latent.mlsm import MLSM0, MLSM1
from ros_mbmrl.networks.mlp import MLP

NETWORK = MLP((3, 8, 2), "relu")
each = pytest.mark.parametrize("kind", [GSSM, MLSM0, MLSM1])


@each
@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf"), "1", True])
def test_a_temperature_that_is_none_is_refused(kind: type[Encoder], temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature: expected a number above 0, got"):
        kind(temperature=temperature)


@each
@pytest.mark.parametrize("name", ["size", "hidden", "depth", "keys"])
def test_sizes_that_are_none_are_refused(kind: type[Encoder], name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected an integer of at least 1, got 0"):
        kind(**{name: 0})


@each
def test_sizes_are_those_of_table_4(kind: type[Encoder]) -> None:
    encoder = kind()
    assert (encoder.depth, encoder.hidden, encoder.size) == (2, 32, 16)
    g = torch.Generator().manual_seed(0)
    own = encoder.init(NETWORK, NETWORK.init(g), g)
    shapes = [tuple(own[f"encoder.w{k}"].shape) for k in range(3)]
    assert shapes == [(3 + 2, 32), (32, 32), (32, 32)]
    assert own["graph.head_w"].shape == (32, 2 * 16)
    assert own["condition.b0"].shape == (encoder.reads, 8)


@each
def test_on_a_fitted_model_z_changes_nothing_at_first(kind: type[Encoder]) -> None:
    g = torch.Generator().manual_seed(0)
    parameters = NETWORK.init(g)
    own = kind().init(NETWORK, parameters, g, frozen=True)
    assert not own["condition.b0"].any()
    assert torch.equal(own["frozen.w0"], parameters["w0"])
    assert own["encoder.w0"].shape[0] == 3 + 2 + 2  # and the errors of the frozen model


def test_deviations_are_small_at_first_and_never_zero() -> None:
    encoder, g = GSSM(), torch.Generator().manual_seed(0)
    own = encoder.init(NETWORK, NETWORK.init(g), g)
    code = encoder.head(own, torch.zeros(1, 32))
    expected = SMALLEST + torch.sigmoid(torch.tensor(AT_FIRST))
    torch.testing.assert_close(code.deviation, expected.expand(1, 16))
    assert float(encoder.head(own, torch.full((1, 32), -1e6)).deviation.min()) > 0.9 * SMALLEST


def test_the_decoder_is_a_network_of_the_input_and_z() -> None:
    g = torch.Generator().manual_seed(1)
    parameters = NETWORK.init(g)
    parameters |= GSSM(size=4).init(NETWORK, parameters, g)
    x, z = torch.randn(2, 5, 3, generator=g), torch.randn(2, 5, 4, generator=g)
    wide = MLP((3 + 4, 8, 2), "relu")
    weight = torch.cat([parameters["w0"], parameters["condition.b0"]])
    expected = wide.forward({**parameters, "w0": weight}, torch.cat([x, z], dim=-1))
    torch.testing.assert_close(decode(NETWORK, parameters, x, z), expected)


def test_both_of_what_is_read_have_as_many_rows() -> None:
    z, local = torch.zeros(5, 2, 1, 3), torch.ones(2, 4, 3)
    assert joined(z, local).shape == (5, 2, 4, 6)
    assert joined(z, None) is z
