"""The network as a function of its parameters, plain and with an update per task."""

from __future__ import annotations

import pytest
import torch

from ros_mbmrl.networks.activations import ACTIVATIONS
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.updates import LayerUpdate, Update

SIZES = (3, 8, 5, 2)


def network(activation: str = "tanh") -> tuple[MLP, Parameters]:
    mlp = MLP(SIZES, activation)
    parameters = mlp.init(torch.Generator().manual_seed(0))
    return mlp, {name: value.double() + 0.1 for name, value in parameters.items()}


def random_update(tasks: int, rank: int, seed: int = 1) -> Update:
    g = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=g, dtype=torch.float64)

    return Update(
        tuple(
            LayerUpdate(draw(tasks, rank, i), draw(tasks, rank, o), draw(tasks, 1, o))
            for i, o in zip(SIZES[:-1], SIZES[1:], strict=True)
        )
    )


def test_one_layer_by_hand() -> None:
    mlp = MLP((2, 1))
    parameters = {"w0": torch.tensor([[2.0], [3.0]]), "b0": torch.tensor([1.0])}
    assert mlp.forward(parameters, torch.tensor([10.0, 100.0])).tolist() == [321.0]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_errors_go_back_through_the_activation_and_can_be_differentiated(
    activation: str,
) -> None:
    mlp = MLP(SIZES, activation)
    # An even number: without 0, at which a rectifier has no derivative.
    z = torch.linspace(-4, 4, 32, dtype=torch.float64, requires_grad=True)
    delta = torch.linspace(2, -1, 32, dtype=torch.float64, requires_grad=True)
    (expected,) = torch.autograd.grad(mlp.act(z), z, delta)
    with torch.inference_mode():
        torch.testing.assert_close(mlp.act_backward(delta, z, mlp.act(z)), expected)

    def back(delta: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return mlp.act_backward(delta, z, mlp.act(z))

    torch.testing.assert_close(back(delta, z), expected)
    assert torch.autograd.gradcheck(back, (delta, z))


def test_without_an_update_both_forwards_agree() -> None:
    mlp, parameters = network()
    x = torch.randn(4, 6, 3, dtype=torch.float64)
    updated, inputs, pre = mlp.forward_updated(parameters, mlp.no_update, x)
    torch.testing.assert_close(updated, mlp.forward(parameters, x))
    assert [h.shape[-1] for h in inputs] == [3, 8, 5]
    assert [z.shape[-1] for z in pre] == [8, 5]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_materialise_equals_forward_updated(activation: str) -> None:
    mlp, parameters = network(activation)
    x = torch.randn(1, 7, 3, dtype=torch.float64)
    update = random_update(1, rank=4)
    written = mlp.materialise(parameters, update)
    torch.testing.assert_close(
        mlp.forward(written, x), mlp.forward_updated(parameters, update, x)[0]
    )


def test_materialise_never_writes_to_the_prior() -> None:
    mlp, parameters = network()
    before = {name: value.clone() for name, value in parameters.items()}
    written = mlp.materialise(parameters, random_update(1, rank=4))
    for value in written.values():
        value.zero_()
    assert all(torch.equal(parameters[name], before[name]) for name in before)


def test_materialise_shares_what_an_update_leaves_alone() -> None:
    mlp, parameters = network()
    bias = LayerUpdate(bias=torch.ones(1, 1, 2, dtype=torch.float64))
    shift = (*mlp.no_update.layers[:-1], bias)
    written = mlp.materialise(parameters, Update(shift))
    assert [name for name in parameters if written[name] is not parameters[name]] == ["b2"]


def test_two_updates_add_up() -> None:
    mlp, parameters = network()
    x = torch.randn(1, 5, 3, dtype=torch.float64)
    first, second = random_update(1, 2, seed=1), random_update(1, 3, seed=2)
    pairs = zip(first.layers, second.layers, strict=True)
    both = Update(tuple(a.plus(b) for a, b in pairs))
    one_after_the_other = mlp.materialise(mlp.materialise(parameters, first), second)
    torch.testing.assert_close(
        mlp.forward(one_after_the_other, x), mlp.forward_updated(parameters, both, x)[0]
    )


def test_a_refused_update_is_nothing_even_if_it_was_nan() -> None:
    mlp, parameters = network()
    x = torch.randn(2, 5, 3, dtype=torch.float64)
    hidden = torch.tensor([[1.0, 2.0], [torch.nan, 3.0]])
    update = Update(random_update(2, rank=4).layers, hidden)
    for layer in update.layers:
        assert layer.left is not None
        assert layer.right is not None
        assert layer.bias is not None
        layer.left[1], layer.right[1], layer.bias[1] = torch.inf, torch.nan, torch.nan
    kept = update.where(torch.tensor([True, False]))
    assert kept.hidden is not None
    assert kept.hidden.tolist() == [[1.0, 2.0], [0.0, 0.0]]
    output, _, _ = mlp.forward_updated(parameters, kept, x)
    torch.testing.assert_close(output[1], mlp.forward(parameters, x[1]))
    alone = update.tasks(slice(0, 1))
    assert alone.hidden is not None
    assert alone.hidden.tolist() == [[1.0, 2.0]]
    torch.testing.assert_close(output[:1], mlp.forward_updated(parameters, alone, x[:1])[0])


@pytest.mark.parametrize(("sizes", "activation"), [((3,), "tanh"), ((3, 0), "tanh")])
def test_impossible_sizes_are_refused(sizes: tuple[int, ...], activation: str) -> None:
    with pytest.raises(ValueError, match="sizes: expected"):
        MLP(sizes, activation)


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(ValueError, match="activation: expected one of"):
        MLP((3, 2), "sine")
