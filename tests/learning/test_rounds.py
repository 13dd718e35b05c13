"""Algorithm 9: who gathers with which model, what is held out, and which fits are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.rounds import Data, fit_model, meta_train
from ros_mbmrl.robots.conditioned import ConditionedRobot
from ros_mbmrl.robots.quantities import Cause
from ros_mbmrl.robots.spec import Robot

Make = Callable[..., list[Rollout]]
CONFIG = TrainConfig(
    method="mb",
    hidden=(8,),
    adapt_windows=(4,),
    predict_window=4,
    supervised_steps=4,
    batch=4,
    validate_every=2,
    horizon=3,
)


class Log:
    """Names in place of rollouts and models."""

    def __init__(self) -> None:
        self.gathered, self.fitted = list[Any](), list[Any]()

    def gather(self, k: int, model: Any) -> Any:
        self.gathered.append((k, model))
        return [f"{k}a", f"{k}b", f"{k}c"]

    def fit(self, k: int, data: Data, before: Any) -> Any:
        self.fitted.append((k, data.training, data.held, before))
        return f"model {k}"


def first_is_held(found: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    return list(found[1:]), list(found[:1])


def test_each_round_follows_the_model_before_it_and_is_split_by_itself() -> None:
    log = Log()
    assert meta_train(2, log.gather, first_is_held, log.fit, range(3)) == "model 2"  # type: ignore[comparison-overlap]
    assert log.gathered == [(0, None), (1, "model 0"), (2, "model 1")]
    assert log.fitted == [
        (0, ("0b", "0c"), ("0a",), None),
        (1, ("0b", "0c", "1b", "1c"), ("0a", "1a"), "model 0"),
        (2, ("0b", "0c", "1b", "1c", "2b", "2c"), ("0a", "1a", "2a"), "model 1"),
    ]


def test_fits_that_nothing_depends_on_are_not_made() -> None:
    log = Log()
    known: Any = "model 0"
    meta_train(2, log.gather, first_is_held, log.fit, [1, 2], known)
    assert [(k, before) for k, *_, before in log.fitted] == [(1, "model 0"), (2, "model 1")]
    assert len(log.fitted[0][1]) == 4  # all data so far, whoever gathered it


def test_a_fit_goes_on_from_the_model_before_it(robot: Robot, make_rollouts: Make) -> None:
    held = tuple(make_rollouts(4, seed=2))
    first = fit_model(robot, CONFIG, Data(tuple(make_rollouts(6, seed=1)), held))
    before = LoadedModel(first.model, first.parameters, {"method": "mb"})
    more = Data(tuple(make_rollouts(12, seed=1)), held)
    tiny = replace(CONFIG, learning_rate=1e-9)
    again = fit_model(robot, tiny, more, before)
    states, actions = (torch.from_numpy(part) for part in (held[0].states[:-1], held[0].actions))
    features = robot.features(states)
    expected = first.model.predict(first.parameters, features, actions)
    found = again.model.predict(again.parameters, features, actions)
    assert float((found - expected).abs().max()) < 1e-3 * float(expected.abs().max())
    other = replace(CONFIG, hidden=(9,))
    with pytest.raises(UserError, match="the last round's network is .* train into another folder"):
        fit_model(robot, other, more, before)


def test_a_model_has_inputs_for_causes_once_one_has_changed(
    robot: Robot, make_rollouts: Make
) -> None:
    robot = copy(robot)
    robot.spec = replace(robot.spec, causes=(Cause("push", "N", -2.0, 2.0, 0.0, (1.0,)),))
    config = replace(CONFIG, method="causes")

    def told(rollout: Rollout, push: float) -> Rollout:
        return replace(rollout, causes=np.full((len(rollout), 1), push, dtype=np.float32))

    runs = make_rollouts(8, seed=1)
    still = [told(run, 0.0) for run in runs]
    plain = fit_model(robot, config, Data(tuple(still[:6]), tuple(still[6:])))
    assert plain.model.robot.spec.features == ("speed",)
    before = LoadedModel(plain.model, plain.parameters, {"method": "causes"})
    pushed = tuple(told(run, 1.0) for run in runs[:6])
    own = fit_model(robot, config, Data(pushed, tuple(still[6:])), before)  # it goes on from it
    assert own.model.robot.spec.features == ("speed", "push")
    assert own.parameters["w0"].shape == (4, 8)
    assert own.parameters["causes.odds"].tolist() == pytest.approx([1, 1e-6, 1e-6, 1e-6, 1e-6, 1])
    half = tuple(replace(r, effectiveness=np.full_like(r.actions, 0.5)) for r in pushed)
    lost = fit_model(robot, config, Data(half, tuple(told(run, 1.0) for run in runs[6:])))
    assert "causes.odds" not in lost.parameters
    mixed = Data((*pushed, runs[6]), (runs[7],))
    with pytest.raises(UserError, match="does not tell its causes: expected 1, got none"):
        fit_model(robot, config, mixed)
    untold = Data(tuple(runs[:6]), tuple(runs[6:]))
    assert fit_model(robot, config, untold).model.robot.spec.features == ("speed",)
    with pytest.raises(UserError, match="does not tell its causes: expected 1, got none"):
        fit_model(ConditionedRobot(robot), config, untold)
