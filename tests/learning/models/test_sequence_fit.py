"""Fit of a meta-model where the past alone tells which task it is."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.meta_model import MetaModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.learning.models.sequence_fit import Rows, SequenceFit, fit_sequences
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.networks.history import Encoder, Histories
from ros_mbmrl.robots.point import PointRobot

ROBOT = PointRobot("point_corners", 0.2, False)
LAYOUT = Histories(2, 2, 3, rewards=True)
FIT = SequenceFit(steps=400, rows=128, learning_rate=5e-3, every=50, patience=8)


def _data(count: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return states, histories, actions, rewards and next states of points of two kinds.

    One obeys, one does the reverse; only what happened before tells which.
    """
    generator = Generator().manual_seed(0)
    way = 2.0 * torch.randint(2, (count, 1), generator=generator) - 1
    states = torch.randn(count, 2, generator=generator)
    seen = LAYOUT.begun(ROBOT.observation(states))
    for _ in range(3):
        actions = 2 * torch.rand(count, 2, generator=generator) - 1
        states = states + 0.1 * way * actions
        seen = LAYOUT.moved(seen, actions, (way * actions)[:, 0], ROBOT.observation(states))
    actions = 2 * torch.rand(count, 2, generator=generator) - 1
    return states, seen, actions, (way * actions)[:, 0], states + 0.1 * way * actions


def _fitted(units: int) -> tuple[float, MetaModel, Rows]:
    states, seen, actions, rewards, following = _data(3000)
    outputs = torch.cat([ROBOT.difference(states, following), rewards[:, None]], dim=1)
    inputs = torch.cat([ROBOT.features(states), actions], dim=1)
    past = LAYOUT.parts(seen).past.flatten(0, 1)
    encoder = Encoder(LAYOUT.width, units) if units else None
    network = Ensemble((inputs.shape[1] + units, 32, outputs.shape[1]), "silu", 2, "gaussian")
    normalizer = Normalizer.fit(inputs, outputs)
    moments = past.mean(0), past.std(0)
    model = MetaModel(ROBOT, LAYOUT, network, encoder, normalizer, *moments)
    rows = Rows(states, seen, actions, model.targets(states, rewards, following))
    generator = Generator().manual_seed(0)

    def gather(indices: Tensor) -> Rows:
        return Rows(*(part[indices] for part in rows))

    fitted = fit_sequences(model, model.init(generator), 3000, gather, FIT, generator)
    mean = model.moments(fitted.parameters, states, seen, actions).mean
    return float((mean - rows.targets).square().mean()), model, rows


def test_the_history_tells_the_task() -> None:
    remembering, _, _ = _fitted(5)
    forgetful, _, _ = _fitted(0)
    assert forgetful > 0.9  # normalised: it knows no more than the mean
    assert remembering < 0.2


def test_the_best_parameters_are_kept() -> None:
    _, model, rows = _fitted(0)
    generator = Generator().manual_seed(0)
    start = model.init(generator)
    config = SequenceFit(steps=20, rows=16, learning_rate=10.0, every=5, patience=2)

    def gather(indices: Tensor) -> Rows:
        return Rows(*(part[indices] for part in rows))

    fitted = fit_sequences(model, start, 3000, gather, config, generator)
    assert fitted.steps == 0  # such steps make it worse
    assert all(torch.equal(fitted.parameters[name], value) for name, value in start.items())


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match="held_out between 0 and 1"):
        SequenceFit(held_out=1.0)
    with pytest.raises(ValueError, match="1 or more"):
        SequenceFit(steps=0)
