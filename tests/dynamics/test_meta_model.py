"""A meta-model: who moves a row, and by which Gaussian."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.meta_model import MetaModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.networks.history import Encoder, Histories
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.robots import make_robot

ROBOT = make_robot("half_cheetah")
FEATURES, ACTIONS, CHANGES = (
    len(each) for each in (ROBOT.spec.features, ROBOT.spec.action, ROBOT.spec.changes)
)
LAYOUT = Histories(len(ROBOT.observed), ACTIONS, 3, rewards=True)


def _model(units: int, members: int = 4) -> MetaModel:
    sizes = (FEATURES + ACTIONS + units, 8, CHANGES + 1)
    inputs, outputs = FEATURES + ACTIONS, CHANGES + 1
    normalizer = Normalizer(
        torch.zeros(inputs), torch.ones(inputs), torch.zeros(outputs), torch.full((outputs,), 2.0)
    )
    network = Ensemble(sizes, "silu", members, "gaussian")
    encoder = Encoder(LAYOUT.width, units) if units else None
    past = torch.zeros(LAYOUT.width), torch.ones(LAYOUT.width)
    return MetaModel(ROBOT, LAYOUT, network, encoder, normalizer, *past)


def _constant(model: MetaModel) -> Parameters:
    """Return parameters of heads that answer their number, with next to no variance."""
    parameters = {name: torch.zeros_like(v) for name, v in model.init(Generator()).items()}
    heads = torch.arange(1.0, model.network.members + 1)[:, None, None]
    parameters["b1"] = parameters["b1"] + heads / 2
    return parameters | {
        "variance.low": torch.full_like(parameters["variance.low"], -30.0),
        "variance.high": torch.full_like(parameters["variance.high"], -30.0),
    }


def _rows(count: int) -> tuple[Tensor, Tensor, Tensor]:
    states = torch.randn(count, len(ROBOT.spec.state), generator=Generator().manual_seed(0))
    seen = LAYOUT.begun(ROBOT.observation(states))
    return states, seen, torch.zeros(count, ACTIONS)


def test_each_row_is_moved_by_one_head_and_each_head_moves_as_many() -> None:
    model = _model(5)
    states, seen, actions = _rows(12)
    following, rewards = model.step(
        _constant(model), states, seen, actions, Generator().manual_seed(1)
    )
    # In SI units a head answers its number, of changes and of the reward alike.
    assert sorted(rewards.round().tolist()) == [1.0] * 3 + [2.0] * 3 + [3.0] * 3 + [4.0] * 3
    moved = ROBOT.difference(states, following)
    torch.testing.assert_close(moved, rewards[:, None].expand_as(moved), rtol=1e-3, atol=1e-3)


def test_rows_that_the_heads_do_not_divide_are_all_moved() -> None:
    model = _model(0)
    states, seen, actions = _rows(3)
    _, rewards = model.step(_constant(model), states, seen, actions, Generator().manual_seed(1))
    assert set(rewards.round().tolist()) <= {1.0, 2.0, 3.0, 4.0}
    assert len(rewards) == 3


def test_the_predicted_variance_is_drawn() -> None:
    model = _model(0)
    parameters = _constant(model)
    parameters |= {
        f"variance.{name}": torch.zeros_like(parameters[f"variance.{name}"])
        for name in ("low", "high")
    }
    parameters["variance.high"] += 1e-3
    parameters["b1"] = torch.zeros_like(parameters["b1"])
    states, seen, actions = _rows(4000)
    _, rewards = model.step(parameters, states, seen, actions, Generator().manual_seed(1))
    spread = model.moments(parameters, states, seen, actions).log_variance.exp().mean().sqrt() * 2
    assert rewards.std() == pytest.approx(float(spread), rel=0.05)


def test_only_a_model_with_an_encoder_sees_the_past() -> None:
    states, seen, actions = _rows(3)
    later = LAYOUT.moved(seen, actions + 0.5, torch.ones(3), ROBOT.observation(states))
    for units, differs in ((5, True), (0, False)):
        model = _model(units)
        parameters = model.init(Generator().manual_seed(0))
        one, two = (model.moments(parameters, states, each, actions).mean for each in (seen, later))
        assert torch.equal(one, two) is not differs


def test_a_row_that_would_not_be_finite_stays() -> None:
    model = _model(0)
    parameters = _constant(model)
    parameters["b1"] = torch.full_like(parameters["b1"], torch.inf)
    states, seen, actions = _rows(4)
    following, rewards = model.step(parameters, states, seen, actions, Generator())
    assert torch.equal(following, states)
    assert rewards.isfinite().all()


def test_a_network_of_another_size_is_refused() -> None:
    model = _model(5)
    with pytest.raises(ValueError, match="expected Gaussian heads from"):
        MetaModel(ROBOT, LAYOUT, model.network, None, model.normalizer, *(torch.zeros(1),) * 2)
