"""Value functions: what they compute, and their way through a model folder."""

from dataclasses import replace

import pytest
import torch

from ros_mbmrl.dynamics.value import CLIP, ValueFunction, value_of
from ros_mbmrl.networks.ensemble import Ensemble, stacked
from ros_mbmrl.robots import make_robot

ROBOT = make_robot("half_cheetah")
INPUTS = len(ROBOT.spec.features)


def a_value(members: int = 3, seed: int = 0) -> ValueFunction:
    mlp = Ensemble((INPUTS, 8, 1), "silu", members)
    generator = torch.Generator().manual_seed(seed)
    return ValueFunction(
        ROBOT,
        mlp,
        stacked(mlp.init(generator)),
        torch.randn(INPUTS, generator=generator),
        torch.rand(INPUTS, generator=generator) + 0.5,
        torch.tensor([3.0, 2.0]),
    )


def test_a_value_is_the_mean_of_its_members() -> None:
    value = a_value()
    states = torch.randn(5, 4, len(ROBOT.spec.state), generator=torch.Generator().manual_seed(1))
    each = []
    for member in range(3):
        x = ((ROBOT.features(states) - value.mean) / value.std).clamp(-CLIP, CLIP)
        own = {name: part[member] for name, part in value.stack.items()}
        h = torch.nn.functional.silu(x @ own["w0"] + own["b0"])
        each.append((h @ own["w1"] + own["b1"])[..., 0])
    torch.testing.assert_close(value(states), 3.0 + 2.0 * torch.stack(each).mean(dim=0))


def test_a_place_further_on_has_the_same_value() -> None:
    """The half-cheetah's features know nothing of x."""
    states = torch.zeros(2, len(ROBOT.spec.state))
    states[1, 0] = 100.0
    first, second = a_value()(states)
    assert first == second


def test_card_and_tensors_give_the_function_back() -> None:
    value, states = a_value(), torch.randn(7, len(ROBOT.spec.state))
    again = value_of(ROBOT, value.facts, value.tensors())
    assert torch.equal(again(states), value(states))


@pytest.mark.parametrize("name", ["mean", "scale", "network.member.1.w0"])
def test_tensors_of_another_shape_are_refused(name: str) -> None:
    value = a_value()
    tensors = value.tensors()
    tensors[name] = tensors[name][..., :-1]
    with pytest.raises((ValueError, RuntimeError)):
        value_of(ROBOT, value.facts, tensors)


def test_a_function_of_another_robot_is_refused() -> None:
    with pytest.raises(ValueError, match="inputs"):
        value_of(make_robot("ant"), a_value().facts, a_value().tensors())


def test_a_device_changes_nothing() -> None:
    value, states = a_value(), torch.randn(3, len(ROBOT.spec.state))
    assert torch.equal(value.to(torch.device("cpu"))(states), value(states))
    assert not torch.equal(replace(value, scale=2 * value.scale)(states), value(states))
