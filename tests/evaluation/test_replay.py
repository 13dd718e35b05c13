"""A recording run through a model: errors as computed by hand, the same commands bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ros_mbmrl.adaptation.base import robust_error
from ros_mbmrl.data.recording import RecordingInfo
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.data.steps import Run, Step
from ros_mbmrl.dynamics.files import LoadedModel, load_model, save_model
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.player import ReplayConfig
from ros_mbmrl.evaluation.replay import Replay, check_task, replay, summarise
from ros_mbmrl.networks.ensemble import Ensemble, unstacked
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.robots import make_robot

INFO = RecordingInfo({}, 0, 0, 0, True)
FACTS: dict[str, Any] = {"method": "mb_de", "options": {}, "adapt_window": 8, "seed": 0}


@pytest.fixture
def loaded(tmp_path: Path, registered: Any, prior: tuple[DynamicsModel, Parameters]) -> LoadedModel:
    """A model of the toy."""
    save_model(tmp_path / "toy", *prior, FACTS)
    return load_model(tmp_path / "toy", registered)


@pytest.fixture
def toy_run(registered: Any, make_rollouts: Callable[..., list[Rollout]]) -> Run:
    """A toy's run of 31 steps, nothing planned in it, as a recording would give it."""
    (rollout,) = make_rollouts(1, steps=30, seed=7)
    steps = [
        Step(
            clock=0,
            stamp=10**9 + k * 10**8,
            logged=0,
            measured=0,
            measurement=rollout.states[k].astype(float),
            command=rollout.actions[k].astype(float) if k < 30 else None,
        )
        for k in range(31)
    ]
    return Run(Path("run.mcap"), "toy", tuple(steps), 0, None, (), INFO)


def played(run: Run, loaded: LoadedModel, **changes: Any) -> Replay:
    return replay(run, loaded.model.robot, loaded, ReplayConfig(**changes))


def test_errors_are_those_of_what_followed(toy_run: Run, loaded: LoadedModel) -> None:
    result = played(toy_run, loaded, method="mb", horizon=4)
    robot, model = loaded.model.robot, loaded.model
    states = torch.tensor(np.stack([s.measurement for s in toy_run.steps]), dtype=torch.float32)
    actions = torch.tensor(np.stack([s.command for s in toy_run.steps[:-1]]), dtype=torch.float32)
    scale = torch.tensor(robot.spec.change_weights)
    for k, h, column in ((0, 1, 0), (11, 1, 0), (11, 4, 1)):
        imagined = states[k]
        for action in actions[k : k + h]:
            change = model.predict(loaded.parameters, robot.features(imagined), action)
            imagined = robot.advance(imagined, change)
        apart = robot.difference(states[k + h], imagined) / model.normalizer.change_std / h**0.5
        expected = float(robust_error(apart, scale / scale.mean(), limit=10.0))
        assert result.errors[k, 0, column] == pytest.approx(expected, rel=1e-4)
        distance = float((states[k + h] - imagined)[:2].norm())
        assert result.metres[k, 0, column] == pytest.approx(distance, rel=1e-4)
    np.testing.assert_array_equal(result.errors[:, 0], result.errors[:, 1])  # mb does not adapt
    known = np.isfinite(result.errors[:, 0])
    assert known.sum(axis=0).tolist() == [30, 27]


def test_adapting_is_judged_on_what_the_model_had_not_seen(
    toy_run: Run, loaded: LoadedModel
) -> None:
    summary = summarise(played(toy_run, loaded, horizon=3))
    near, far = summary["horizons"]
    assert 0 < summary["accepted_fraction"] < 1
    assert near["adapted"] < near["prior"]
    assert (near["n"], far["n"], far["horizon"]) == (30, 28, 3)
    assert (summary["commands"], summary["compared"]) == (0, 0)


def test_an_ensemble_of_equal_members_is_replayed_as_one_network(
    toy_run: Run, loaded: LoadedModel
) -> None:
    mlp = Ensemble(loaded.model.mlp.sizes, loaded.model.mlp.activation, 3)
    whole = replace(
        loaded,
        model=replace(loaded.model, mlp=mlp),
        parameters=unstacked([loaded.parameters] * 3),
    )
    one, many = (played(toy_run, each, task="fast", horizon=3) for each in (loaded, whole))
    np.testing.assert_allclose(many.errors, one.errors, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(many.proposed, one.proposed, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("unknown_command", [{"command": None}, {"given": np.zeros(2)}])
def test_nothing_is_predicted_over_a_gap_or_an_unknown_command(
    toy_run: Run, loaded: LoadedModel, unknown_command: dict[str, Any]
) -> None:
    steps = list(toy_run.steps)
    steps[10] = replace(steps[10], **unknown_command)
    steps[20:] = [replace(step, stamp=step.stamp + 10**9) for step in steps[20:]]
    result = played(replace(toy_run, steps=tuple(steps)), loaded, horizon=3)
    unknown = np.flatnonzero(~np.isfinite(result.errors[:, 0, 0])).tolist()
    assert unknown == [10, 19, 30]
    unknown = np.flatnonzero(~np.isfinite(result.errors[:, 0, 1])).tolist()
    assert unknown == [8, 9, 10, 17, 18, 19, 28, 29, 30]


def test_the_same_run_gives_the_same_commands_bit_for_bit(
    toy_run: Run, loaded: LoadedModel
) -> None:
    first, again, other = (played(toy_run, loaded, task="fast", seed=s) for s in (1, 1, 2))
    assert np.isfinite(first.proposed).all()
    assert first.digest == again.digest != other.digest
    assert first.errors.tobytes() == again.errors.tobytes()


def test_plans_are_made_for_the_steps_that_had_one(toy_run: Run, loaded: LoadedModel) -> None:
    steps = [
        replace(step, planned=k % 2 == 0, proposed=np.array([0.1, 0.2]) if k % 4 else None)
        for k, step in enumerate(toy_run.steps)
    ]
    result = played(replace(toy_run, steps=tuple(steps)), loaded, task="fast")
    assert len(result.times) == 16
    assert result.times[1] == pytest.approx(1.2)
    assert len(result.equal) == np.isfinite(result.recorded).all(axis=1).sum() == 8
    assert not result.equal.any()


def test_tasks_that_do_not_fit_are_refused(toy_run: Run, registered: Any) -> None:
    hexapod, followed = make_robot("hexapod"), replace(toy_run, references=(np.zeros((2, 2)),))
    assert check_task(hexapod, toy_run, "") == ""
    assert check_task(hexapod, toy_run, "zigzag") == "zigzag"
    with pytest.raises(UserError, match="unknown task 'dance'"):
        check_task(hexapod, toy_run, "dance")
    with pytest.raises(UserError, match="has a reference of its own"):
        check_task(hexapod, followed, "zigzag")
    with pytest.raises(ValueError, match="horizon: expected at least 1"):
        ReplayConfig(horizon=0)
