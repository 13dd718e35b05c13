"""Fitting an ensemble: it learns, its members differ, and an interrupted fit goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Generator

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.members import over
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import load_model, save_model
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.ensemble import EnsembleLearner
from ros_mbmrl.learning.models.meta import Judge, new_model, train_model
from ros_mbmrl.learning.rounds import Data, fit_model
from ros_mbmrl.learning.run import LEARNED
from ros_mbmrl.learning.segments import SegmentSampler, Transitions
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.ensemble import Ensemble, members_of
from ros_mbmrl.robots.spec import Robot

CONFIG = TrainConfig(
    method="mb",
    hidden=(16,),
    adapt_windows=(4,),
    predict_window=4,
    supervised_steps=200,
    validate_every=100,
    horizon=3,
    members=3,
    rows=64,
    learning_rate=1e-2,
)


@pytest.fixture
def data(robot: Robot, make_rollouts: Callable[..., list[Rollout]]) -> Transitions:
    return Transitions.of(robot, make_rollouts(6))


def test_it_learns_and_its_members_differ(robot: Robot, data: Transitions) -> None:
    model = new_model(data, CONFIG, robot)
    start = model.mlp.init(Generator().manual_seed(0))
    trained = train_model(model, CONFIG, data, data, parameters=start)
    x, y = data.plausible(model)
    before, after = (
        (model.mlp.forward(p, x) - y).square().mean() for p in (start, trained.parameters)
    )
    assert float(after) < 0.5 * float(before)
    each = [model.mlp.member.forward(p, x) for p in members_of(trained.parameters)]  # type: ignore[attr-defined]
    errors = torch.stack([(own - y).square().mean() for own in each])
    assert float(after) < float(errors.mean())  # the mean is better than who takes part in it
    assert not torch.equal(each[0], each[1])


def test_with_normalised_weights_it_learns_as_well(robot: Robot, data: Transitions) -> None:
    config = replace(CONFIG, weight_normalisation=True)
    model, (x, y) = new_model(data, config, robot), data.plausible(new_model(data, config, robot))
    start = model.mlp.init(Generator().manual_seed(0))
    trained = train_model(model, config, data, data, parameters=start)
    before, after = (
        float((model.mlp.forward(p, x) - y).square().mean()) for p in (start, trained.parameters)
    )
    assert after < 0.5 * before
    assert trained.parameters.keys() == start.keys()


@pytest.mark.parametrize("normalised", [False, True])
def test_an_interrupted_fit_gives_what_an_uninterrupted_one_gives(
    robot: Robot, data: Transitions, normalised: bool
) -> None:
    config = replace(CONFIG, weight_normalisation=normalised)
    model, store = new_model(data, config, robot), SegmentSampler(data, (4,), 4)
    start = model.mlp.init(Generator().manual_seed(0))

    def go_on(learner: EnsembleLearner, steps: int, drawing: Generator) -> None:
        for _ in range(steps):
            learner.update(store, drawing)

    whole, drawing = EnsembleLearner(model, start, config), Generator().manual_seed(1)
    go_on(whole, 6, drawing)
    first, drawing = EnsembleLearner(model, start, config), Generator().manual_seed(1)
    go_on(first, 3, drawing)
    second = EnsembleLearner(model, start, config)
    second.restore(first.snapshot())
    go_on(second, 3, drawing)
    expected, found = whole.snapshot(), second.snapshot()
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_rows_that_are_not_kept_teach_nothing(robot: Robot, data: Transitions) -> None:
    kept = data.keep.clone()
    data.changes[::2] = 1e6
    data.keep[::2] = 0.0
    x, y = data.plausible(new_model(data, CONFIG, robot))
    assert len(x) == int(data.keep.sum()) < len(kept)
    assert float(y.abs().max()) < 10.0


def test_a_rule_s_parameters_pass_through_it_unchanged(robot: Robot, data: Transitions) -> None:
    model, store = new_model(data, CONFIG, robot), SegmentSampler(data, (4,), 4)
    own = {f"member.{k}.psi.w0": torch.full((1,), float(k)) for k in range(3)}
    start = model.mlp.init(Generator().manual_seed(0)) | own
    learner = EnsembleLearner(model, start, CONFIG)
    learner.update(store, Generator().manual_seed(1))
    found = tensor_file.unflatten(LEARNED, learner.snapshot())
    assert found.keys() == start.keys()
    assert all(torch.equal(found[name], value) for name, value in own.items())
    assert not torch.equal(found["member.1.w0"], start["member.1.w0"])


@pytest.mark.parametrize("name", ["members", "rows"])
def test_numbers_below_one_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected an integer of at least 1, got 0"):
        TrainConfig(**{**vars(CONFIG), name: 0})


def test_more_members_than_transitions_are_one_line(robot: Robot, data: Transitions) -> None:
    model = new_model(data, CONFIG, robot)
    learner = EnsembleLearner(model, model.mlp.init(Generator().manual_seed(0)), CONFIG)
    store: Any = SimpleNamespace(every_row=lambda model: (torch.zeros(2, 3), torch.zeros(2, 4)))
    with pytest.raises(UserError, match="members: expected at most 2, .* got 3"):
        learner.update(store, Generator())


@pytest.mark.parametrize("method", ["mb", "grbal"])
def test_elites_are_the_members_of_the_least_held_out_error(
    robot: Robot,
    data: Transitions,
    method: str,
    tmp_path: Path,
    make_rollouts: Callable[..., list[Rollout]],
) -> None:
    config = replace(CONFIG, method=method, elites=2, supervised_steps=60, meta_steps=2, batch=4)
    trained = train_model(new_model(data, config, robot), config, data, data)
    assert isinstance(trained.model.mlp, Ensemble)
    rule = make_rule(method).training_rule
    judge = Judge(trained.model.member, rule, config, data)
    errors = torch.tensor([judge(own)["after"] for own in members_of(trained.parameters)])
    assert len(errors) == 3  # the third is kept, for the next round
    assert trained.model.mlp.elites == tuple(sorted(errors.argsort()[:2].tolist()))
    whole = replace(trained.model.mlp, elites=())
    found = Judge(trained.model, over(rule, whole), config, data)(trained.parameters)
    assert trained.scores["open_loop_after"] == found["after"]
    facts = {"method": method, "options": {}, "adapt_window": 4, "seed": 0}
    save_model(tmp_path, trained.model, trained.parameters, facts)
    loaded = load_model(tmp_path, robot)
    assert loaded.card["network"]["elites"] == list(trained.model.mlp.elites)
    assert loaded.model.mlp == trained.model.mlp
    # The next round trains all of them again.
    rollouts = tuple(make_rollouts(6))
    again = fit_model(robot, config, Data(rollouts, rollouts), loaded)
    assert isinstance(again.model.mlp, Ensemble) and len(again.model.mlp.elites) == 2
    assert len(members_of(again.parameters)) == 3


def test_more_elites_than_members_are_refused() -> None:
    with pytest.raises(ValueError, match="elites: expected an integer of up to 3, got 4"):
        replace(CONFIG, elites=4)
