"""Windows over breaks between runs, the rest of a run, evidence and ratios, on the toy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from ros_mbmrl.adaptation.guard import GuardConfig
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.windows import (
    GRIDS,
    REST,
    Judge,
    Setting,
    by_tag,
    choose_settings,
    rows_of,
)
from ros_mbmrl.networks.mlp import Parameters

GUARD = GuardConfig(enabled=False)
FULL = {"gain": 1.0, "forgetting": 1.0}


@pytest.fixture
def judge(
    prior: tuple[DynamicsModel, Parameters], make_rollouts: Callable[..., list[Rollout]]
) -> Judge:
    """Two sessions of two runs of 30; stretches of 4 after 8 others, every 6th row."""
    first, second = make_rollouts(2, steps=30)
    return Judge(LoadedModel(*prior, {}), [first, second, first, second], 8, 4, 6)


def test_every_setting_predicts_the_same_stretches_of_each_run(judge: Judge) -> None:
    # In order of the sessions; of 30 transitions 0 to 18 can begin a window of 8 and 4.
    assert judge.places.tolist() == [8, 14, 20, 26] * 4
    assert judge.runs.tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4
    assert [tags["session"] for tags in judge.tags] == ["0"] * 8 + ["1"] * 8


def test_a_window_goes_on_into_the_sessions_run_before_and_no_further(judge: Judge) -> None:
    seen = [judge._support(judge.first, window).weight[:, :, 0] for window in (8, 20)]
    assert seen[0].sum(1).tolist() == [8.0] * 16
    # The first run of a session has only what came before in it, the second one more.
    assert seen[1].sum(1).tolist() == ([8.0, 14.0, 20.0, 20.0] + [20.0] * 4) * 2
    support = judge._support(judge.first[4:5], 20)  # row 8 of the session's second run
    model, data = judge.model, judge.data
    raw = model.normalizer.raw_inputs(data.features[18:38], data.actions[18:38])
    torch.testing.assert_close(support.x[0], raw)


def test_the_rest_of_the_run_is_all_of_it_but_the_stretch(judge: Judge) -> None:
    weight = judge._support(judge.first[5:6], REST).weight[0, :, 0]
    assert weight.tolist() == [1.0] * 14 + [0.0] * 4 + [1.0] * 12


def test_errors_of_no_setting_are_those_of_the_prior(judge: Judge) -> None:
    errors = judge.errors(None, GUARD)
    data, future = judge.data, judge.first[:, None] + torch.arange(4)
    imagined = judge.model.predictor(judge.parameters)
    states = imagined(data.states[judge.first], data.actions[future])[:, 1:]
    off = (states - data.next_states[future])[..., :2].norm(dim=-1)
    torch.testing.assert_close(errors.speed[:, 0], off[:, 0] / 0.1, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(errors.speed[:, 1], off[:, 3] / 0.4, rtol=1e-3, atol=1e-4)
    assert not errors.accepted.any()


def test_evidence_is_half_the_logarithm_of_the_mean_squares(judge: Judge) -> None:
    setting = Setting("residual", 8, FULL)
    before, after = judge.mean_squares(None), judge.mean_squares(setting)
    assert len(before) == 3  # forward, left, yaw
    assert judge.evidence(setting) == pytest.approx(float(0.5 * (before / after).log().sum()))


def test_a_robot_with_a_bias_of_its_own_gives_evidence_and_lower_errors(
    prior: tuple[DynamicsModel, Parameters], make_rollouts: Callable[..., list[Rollout]]
) -> None:
    """The bound is below every window, and the right gain is chosen over the timid ones."""
    model, parameters = prior
    small = {name: 1e-3 * value for name, value in parameters.items()}  # predicts no change
    std = model.normalizer.change_std.numpy()
    rng, runs = np.random.default_rng(0), []
    for rollout in make_rollouts(6, steps=40):
        # Nothing moves but the yaw: by the mean of all, a part of each run's own, and white noise.
        steps = std[2] * (rng.choice([-1.0, 1.0]) + 0.3 * rng.standard_normal(40))
        change = model.normalizer.change_mean.numpy()[2] + steps
        states = np.zeros((41, 4), dtype=np.float32)
        states[1:, 2] = np.cumsum(change)
        runs.append(replace(rollout, states=states))
    judge = Judge(LoadedModel(model, small, {}), runs, 8, 4, 2)
    chosen = list(choose_settings(judge, ("residual",), (8,)))
    assert [(s.window, s.options["gain"]) for s, _ in chosen] == [(8, 1.0), (REST, 1.0)]
    assert chosen[1][1] > chosen[0][1] > 0.5
    rows = rows_of(judge, chosen, by_tag(judge, "terrain"), GUARD)
    assert [(r["window"], r["group"], r["horizon"], r["runs"]) for r in rows] == [
        (window, terrain, horizon, 3)
        for window in (8, REST)
        for terrain in ("flat", "hill")
        for horizon in (1, 4)
    ]
    for row in rows:
        assert row["yaw_deg_ratio"] == pytest.approx(row["yaw_deg"] / row["yaw_deg_prior"])
        assert row["yaw_deg_ratio"] < 0.6
        assert row["accepted_fraction"] == 1.0
    assert rows[5]["yaw_deg"] < rows[1]["yaw_deg"]


def test_the_rest_of_the_run_forgets_nothing(judge: Judge) -> None:
    for method in GRIDS:
        (_, _), (rest, _) = choose_settings(judge, (method,), (8,))
        assert rest.window == REST
        assert rest.options.get("forgetting", 1.0) == 1.0 and rest.options.get("change", 0.0) == 0.0


def test_runs_that_are_too_short_are_refused(
    prior: tuple[DynamicsModel, Parameters], rollouts: list[Rollout]
) -> None:
    with pytest.raises(UserError, match="nothing to judge: expected runs with 16 unmarked"):
        Judge(LoadedModel(*prior, {}), rollouts, 30, 16, 1)
