"""Transitions as all encoders see them."""

from __future__ import annotations

import torch

from ros_mbmrl.dynamics.latent.transitions import encode, frozen_of, transition_encoder
from ros_mbmrl.networks.groups import LOCAL
from ros_mbmrl.networks.mlp import MLP

NETWORK = MLP((3, 8, 2), "relu")


def test_changes_are_clipped_and_errors_seen_where_a_model_is_frozen() -> None:
    g = torch.Generator().manual_seed(0)
    own = NETWORK.init(g)
    x, y = torch.randn(1, 4, 3, generator=g), 100.0 * torch.randn(1, 4, 2, generator=g)
    for frozen, width in ((False, 5), (True, 7)):
        network = transition_encoder(NETWORK, 1, width, depth=0, frozen=frozen)
        assert network.sizes == (width, width)
        parameters = {"encoder.w0": torch.eye(width), "encoder.b0": torch.zeros(width)}
        parameters |= frozen_of(NETWORK, own) if frozen else {}
        clipped = y.clamp(-5.0, 5.0)
        expected = [x, clipped, clipped - NETWORK.forward(own, x)][: 2 + frozen]
        found = encode(NETWORK, network, parameters, x, y)
        torch.testing.assert_close(found, torch.cat(expected, dim=-1))


def test_a_second_encoder_has_parameters_of_its_own() -> None:
    network = transition_encoder(NETWORK, 4, 2, frozen=False)
    g = torch.Generator().manual_seed(0)
    first, second = network.init(g), network.init(g)
    parameters = {f"encoder.{k}": v for k, v in first.items()} | LOCAL.named(second)
    x, y = torch.randn(1, 4, 3, generator=g), torch.randn(1, 4, 2, generator=g)
    found = encode(NETWORK, network, parameters, x, y, group=LOCAL)
    torch.testing.assert_close(found, network.forward(second, torch.cat([x, y], dim=-1)))
