"""One step under an ensemble, worked out by hand for every sampling scheme."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.imagination import SCHEMES, Imagination, slots_of
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.ensemble import Ensemble, unstacked
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots.spec import Robot

GAINS = (1.0, 2.0, 6.0)  # speed += gain * drive, a member each: mean 3, median 2, deviation 2.16
REST = torch.zeros(2000, 4)
DRIVE = torch.tensor([1.0, 0.0]).expand(2000, 2)


def parameters_of(gain: float) -> Parameters:
    weights = torch.zeros(3, 4)
    weights[1, 3] = gain
    return {"w0": weights, "b0": torch.zeros(4)}


def imagined(robot: Robot, scheme: str) -> Imagination:
    one = torch.ones
    normalizer = Normalizer(torch.zeros(3), one(3), torch.zeros(4), one(4), clip=100.0)
    model = DynamicsModel(robot, Ensemble((3, 4), members=3), normalizer)
    return Imagination.of(model, unstacked([parameters_of(gain) for gain in GAINS]), scheme)


def speeds(
    imagination: Imagination, members: Tensor | None = None, steps: int = 1, seed: int = 0
) -> Tensor:
    generator = Generator().manual_seed(seed)
    own = imagination.drawn(len(REST), generator) if members is None else members
    states = REST
    for _ in range(steps):
        states = imagination.step(states, DRIVE, own, generator)
    return states[:, 3]


def shares(found: Tensor, values: tuple[float, ...]) -> list[float]:
    return [float((found == value).float().mean()) for value in values]


def test_a_member_is_drawn_in_every_step(robot: Robot) -> None:
    imagination = imagined(robot, "step_rand")
    assert shares(speeds(imagination), GAINS) == pytest.approx([1 / 3] * 3, abs=0.05)
    # Two steps: the sums of two gains, of which those of two members are twice as likely.
    sums = (2.0, 3.0, 4.0, 7.0, 8.0, 12.0)
    expected = [1 / 9, 2 / 9, 1 / 9, 2 / 9, 2 / 9, 1 / 9]
    assert shares(speeds(imagination, steps=2), sums) == pytest.approx(expected, abs=0.05)


def test_a_member_is_kept_for_the_episode(robot: Robot) -> None:
    imagination = imagined(robot, "eps_rand")
    members = torch.arange(2000) % 3
    assert torch.equal(speeds(imagination, members, steps=4), 4 * torch.tensor(GAINS)[members])
    drawn = shares(speeds(imagination, steps=2), (2.0, 4.0, 12.0))
    assert drawn == pytest.approx([1 / 3] * 3, abs=0.05)


def test_statistics_of_all_members(robot: Robot) -> None:
    assert set(speeds(imagined(robot, "model_mean")).tolist()) == {3.0}
    assert set(speeds(imagined(robot, "model_med")).tolist()) == {2.0}
    sampled = speeds(imagined(robot, "model_mean_std"))
    assert float(sampled.mean()) == pytest.approx(3.0, abs=0.15)
    assert float(sampled.std()) == pytest.approx((14 / 3) ** 0.5, abs=0.15)


def test_the_median_of_an_even_number_is_between_the_middle_ones(robot: Robot) -> None:
    imagination = imagined(robot, "model_med")
    two = {name: value[1:] for name, value in imagination.stack.items()}
    assert set(speeds(Imagination(imagination.model, two, "model_med")).tolist()) == {4.0}


def test_one_model_is_the_first(robot: Robot) -> None:
    imagination = imagined(robot, "one_model")
    assert imagination.count == 1
    assert set(speeds(imagination).tolist()) == {1.0}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_single_network_is_an_ensemble_of_one(robot: Robot, scheme: str) -> None:
    model = imagined(robot, scheme).model.member
    own = Imagination.of(model, parameters_of(2.0), scheme)
    assert set(speeds(own).tolist()) == {2.0}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_draws_follow_from_the_generator(robot: Robot, scheme: str) -> None:
    imagination = imagined(robot, scheme)
    assert torch.equal(speeds(imagination, seed=3), speeds(imagination, seed=3))
    varies = scheme in ("step_rand", "eps_rand", "model_mean_std")
    assert torch.equal(speeds(imagination, seed=3), speeds(imagination, seed=4)) is not varies


def test_a_row_is_moved_as_its_member_moves_it_alone(robot: Robot) -> None:
    generator = Generator().manual_seed(0)
    mlp = Ensemble((3, 8, 4), "tanh", members=4, elites=(1, 2, 3))
    one = torch.ones
    normalizer = Normalizer(torch.zeros(3), 2 * one(3), one(4), 3 * one(4))
    model, parameters = DynamicsModel(robot, mlp, normalizer), mlp.init(generator)
    imagination = Imagination.of(model, parameters)
    states, actions = torch.randn(7, 4, generator=generator), torch.rand(7, 2, generator=generator)
    members = torch.tensor([2, 0, 2, 2, 1, 0, 2])
    moved = imagination.by_members(states, actions, members)
    for row, member in enumerate(members):
        own = {k[9:]: v for k, v in parameters.items() if k.startswith(f"member.{member + 1}.")}
        change = model.member.predict(own, robot.features(states[row]), actions[row])
        torch.testing.assert_close(moved[row], robot.advance(states[row], change))


def test_it_is_differentiable(robot: Robot) -> None:
    actions = torch.zeros(3, 2, requires_grad=True)
    imagination = imagined(robot, "eps_rand")
    moved = imagination.by_members(torch.zeros(3, 4), actions, torch.tensor([2, 0, 1]))
    (slope,) = torch.autograd.grad(moved[:, 3].sum(), actions)
    assert slope[:, 0].tolist() == [6.0, 1.0, 2.0]


def test_slots_keep_the_rows_of_a_member_together() -> None:
    slots, width = slots_of(torch.tensor([1, 0, 1, 1, 3]), 4)
    assert width == 3
    assert slots.tolist() == [3, 0, 4, 5, 9]


def test_an_unknown_scheme_is_refused(robot: Robot) -> None:
    with pytest.raises(ValueError, match="scheme: expected one of"):
        imagined(robot, "model_max")
    assert isinstance(imagined(robot, "model_mean").model.member.mlp, MLP)
