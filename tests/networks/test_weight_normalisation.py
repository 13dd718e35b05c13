"""Weights as gains and directions, by hand."""

from __future__ import annotations

import torch

from ros_mbmrl.networks.weight_normalisation import weights_of, with_gains


def test_at_first_the_network_is_the_same() -> None:
    stack = {"w0": torch.randn(2, 3, 4), "b0": torch.randn(2, 1, 4), "variance.w": torch.ones(1)}
    raw = with_gains(stack)
    assert raw["gain.w0"].shape == (2, 1, 4)
    back = weights_of(raw)
    assert back.keys() == stack.keys()
    for name, value in stack.items():
        torch.testing.assert_close(back[name], value)


def test_a_unit_by_hand() -> None:
    raw = {"w0": torch.tensor([[3.0], [4.0]]), "gain.w0": torch.tensor([[10.0]])}
    assert weights_of(raw)["w0"].flatten().tolist() == [6.0, 8.0]


def test_the_length_of_v_does_not_matter_and_its_gradient_is_across_it() -> None:
    v = torch.tensor([[3.0], [4.0]], requires_grad=True)
    gain = torch.tensor([[2.0]], requires_grad=True)
    weight = weights_of({"w0": v, "gain.w0": gain})["w0"]
    torch.testing.assert_close(weights_of({"w0": 7 * v, "gain.w0": gain})["w0"], weight)
    slope, along = torch.autograd.grad(weight[0, 0], [v, gain])
    assert abs(float((slope * v).sum())) < 1e-6
    torch.testing.assert_close(along, torch.tensor([[0.6]]))
