"""Fitting Gaussian heads: the noise is found where it is, and is kept through all that follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import load_model, save_model
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.ensemble import EnsembleLearner
from ros_mbmrl.learning.models.meta import new_model, train_model
from ros_mbmrl.learning.models.warm_start import carried
from ros_mbmrl.learning.run import LEARNED
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.robots.spec import Robot

CONFIG = TrainConfig(
    method="mb",
    hidden=(16,),
    adapt_windows=(4,),
    predict_window=4,
    supervised_steps=100,
    validate_every=50,
    horizon=3,
    members=2,
    rows=128,
    learning_rate=1e-2,
    weight_decay=0.0,
    head="gaussian",
)
Make = Callable[..., list[Rollout]]


@pytest.fixture
def data(robot: Robot, make_rollouts: Make) -> Transitions:
    return Transitions.of(robot, make_rollouts(6))


def store(x: Tensor, y: Tensor) -> Any:
    return SimpleNamespace(every_row=lambda model: (x, y))


def learnt(learner: EnsembleLearner) -> dict[str, Tensor]:
    return tensor_file.unflatten(LEARNED, learner.snapshot())


def test_the_noise_is_found_where_it_is(robot: Robot, data: Transitions) -> None:
    """The deviation is .1 where the first input is negative, and 1 where it is positive."""
    model = new_model(data, CONFIG, robot)
    g = Generator().manual_seed(0)
    x = torch.randn(4000, 3, generator=g)
    deviation = torch.where(x[:, :1] < 0, 0.1, 1.0)
    y = x[:, :1] + deviation * torch.randn(4000, 4, generator=g)
    learner = EnsembleLearner(model, model.mlp.init(g), CONFIG)
    for step in range(1500):
        learner.rate = 1 - step / 1500
        learner.update(store(x, y), g)
    probe = torch.tensor([[[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]])
    means, variances = model.mlp.moments(learnt(learner), model.mlp.no_update, probe)  # type: ignore[attr-defined]
    quiet, loud = variances.sqrt().mean(dim=(0, 1, 3)).tolist()
    assert quiet == pytest.approx(0.1, rel=0.3)
    assert loud == pytest.approx(1.0, rel=0.2)
    torch.testing.assert_close(means.mean(0)[0, 0], torch.full((4,), -1.0), atol=0.05, rtol=0)


def test_a_snapshot_goes_on_bit_for_bit(robot: Robot, data: Transitions) -> None:
    model, (x, y) = new_model(data, CONFIG, robot), torch.randn(2, 50, 4)
    start = model.mlp.init(Generator().manual_seed(0))
    whole, first, second = (EnsembleLearner(model, start, CONFIG) for _ in range(3))

    def go_on(learner: EnsembleLearner, steps: int, g: Generator) -> None:
        for _ in range(steps):
            learner.update(store(x[:, :3], y), g)

    go_on(whole, 6, Generator().manual_seed(1))
    g = Generator().manual_seed(1)
    go_on(first, 3, g)
    second.restore(first.snapshot())
    go_on(second, 3, g)
    expected, found = whole.snapshot(), second.snapshot()
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_variance_that_is_not_finite_is_one_line(robot: Robot, data: Transitions) -> None:
    model = new_model(data, CONFIG, robot)
    learner = EnsembleLearner(model, model.mlp.init(Generator().manual_seed(0)), CONFIG)
    rows = store(torch.full((9, 3), torch.inf), torch.zeros(9, 4))
    with pytest.raises(UserError, match="a predicted variance is not finite"):
        learner.update(rows, Generator().manual_seed(1))


def test_a_single_network_has_no_head() -> None:
    with pytest.raises(ValueError, match="head: gaussian: expected members of at least 2"):
        replace(CONFIG, members=1)
    with pytest.raises(ValueError, match="head: expected one of"):
        replace(CONFIG, head="laplace")


@pytest.mark.parametrize("method", ["mb", "grbal", "rebal"])
def test_its_folder_is_read_as_it_was_written(
    method: str, robot: Robot, data: Transitions, tmp_path: Path
) -> None:
    """A rule's own training leaves the heads as they were fitted."""
    config = replace(CONFIG, method=method, meta_steps=4, batch=4)
    trained = train_model(new_model(data, config, robot), config, data, data)
    facts = {"method": method, "options": {}, "adapt_window": 4, "seed": 0}
    save_model(tmp_path, trained.model, trained.parameters, facts)
    loaded = load_model(tmp_path, robot)
    assert loaded.card["network"]["head"] == "gaussian"
    assert loaded.model.mlp == trained.model.mlp
    assert all(torch.equal(loaded.parameters[k], v) for k, v in trained.parameters.items())
    assert not torch.equal(loaded.parameters["member.0.variance.w"], torch.zeros(16, 4))


def test_a_card_s_variance_has_to_be_finite(
    robot: Robot, data: Transitions, tmp_path: Path
) -> None:
    model = new_model(data, CONFIG, robot)
    parameters = model.mlp.init(Generator().manual_seed(0))
    parameters["member.1.variance.high"][2] = 1e3
    facts = {"method": "mb", "options": {}, "adapt_window": 4, "seed": 0}
    save_model(tmp_path, model, parameters, facts)
    with pytest.raises(UserError, match=r"member\.1\.variance\.high allows a variance that is not"):
        load_model(tmp_path, robot)


def test_heads_are_carried_over_to_another_normalisation(robot: Robot, data: Transitions) -> None:
    before = new_model(data, CONFIG, robot)
    old = before.normalizer
    now = replace(before, normalizer=replace(
        old, input_mean=old.input_mean + 0.1, input_std=2 * old.input_std,
        change_mean=old.change_mean - 0.2, change_std=3 * old.change_std,
    ))  # fmt: skip
    g = Generator().manual_seed(0)
    parameters = before.mlp.init(g)
    for k in range(2):
        parameters[f"member.{k}.variance.w"].normal_(generator=g)
    kept = carried(parameters, before, now)
    features, actions = torch.zeros(1, 6, 1), 0.3 * torch.randn(1, 6, 2, generator=g)
    found = [
        model.mlp.moments(own, model.mlp.no_update, model.normalizer.inputs(features, actions))[1]  # type: ignore[attr-defined]
        * model.normalizer.change_std.square()
        for model, own in ((before, parameters), (now, kept))
    ]
    torch.testing.assert_close(found[1], found[0], rtol=1e-4, atol=0)
