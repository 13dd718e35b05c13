"""Coverage of a model that is right about its noise, and of one that is not; the ROC by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Generator

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.coverage import (
    calibration_rows,
    changed_steps,
    coverage_table,
    detection_table,
    intervals,
    roc,
)
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.robots.spec import Robot

NOISE = 0.3  # of every change, in SI units


def noisy_runs(robot: Robot, count: int, steps: int) -> list[Rollout]:
    """Robots that do nothing but be pushed at random."""
    rng, runs = np.random.default_rng(0), []
    for _ in range(count):
        state = torch.zeros(4)
        states = [state]
        for push in torch.from_numpy(NOISE * rng.standard_normal((steps, 4))).float():
            state = robot.advance(state, push)
            states.append(state)
        shares = np.ones((steps, 2), dtype=np.float32)
        shares[steps // 2 :, 0] = 0.0
        runs.append(
            Rollout("toy", torch.stack(states).numpy(), np.zeros((steps, 2), np.float32),
                    0.1 * np.arange(steps + 1), np.zeros(steps, np.uint8), {}, shares)
        )  # fmt: skip
    return runs


def model_with(robot: Robot, deviation: float) -> LoadedModel:
    """Two members that predict no change, and this deviation of it."""
    mlp = Ensemble((3, 4, 4), "silu", members=2, head="gaussian")
    parameters = {name: torch.zeros_like(v) for name, v in mlp.init(Generator()).items()}
    for k in range(2):
        parameters[f"member.{k}.variance.low"] -= 20.0
        parameters[f"member.{k}.variance.high"] += 20.0
        parameters[f"member.{k}.variance.b"] += 2.0 * float(np.log(deviation))
    normalizer = Normalizer(torch.zeros(3), torch.ones(3), torch.zeros(4), torch.ones(4))
    return LoadedModel(DynamicsModel(robot, mlp, normalizer), parameters, {"method": "mb"})


def test_the_right_noise_is_covered_as_its_levels_say(robot: Robot) -> None:
    runs = noisy_runs(robot, 10, 41)
    rows, _ = calibration_rows(model_with(robot, NOISE), runs, ["push"] * 10, (1, 8), 0)
    assert [(row["tag"], row["horizon"]) for row in rows] == [
        ("push", 1), ("push", 8), ("all", 1), ("all", 8),
    ]  # fmt: skip
    for row in rows[:2]:
        assert row["coverage_50"] == pytest.approx(0.5, abs=0.06)
        assert row["coverage_90"] == pytest.approx(0.9, abs=0.04)
        assert row["coverage_99"] == pytest.approx(0.99, abs=0.015)
    # 3.29 deviations of the noise, one step ahead.
    assert rows[0]["width_90"] == pytest.approx(3.29 * NOISE, rel=0.05)


@pytest.mark.parametrize(("factor", "low", "high"), [(0.5, 0.2, 0.32), (2.0, 0.75, 0.9)])
def test_a_model_that_is_too_sure_or_not_sure_enough_shows(
    robot: Robot, factor: float, low: float, high: float
) -> None:
    runs = noisy_runs(robot, 5, 41)
    rows, _ = calibration_rows(model_with(robot, factor * NOISE), runs, ["push"] * 5, (1,), 0)
    assert low < rows[0]["coverage_50"] < high  # P(|z| < .67 factor) = .26, .82


def test_steps_after_a_change_are_told_by_the_shares_of_the_actuators(robot: Robot) -> None:
    (run,) = noisy_runs(robot, 1, 10)
    assert changed_steps(run).tolist() == [False] * 5 + [True] * 5
    assert not changed_steps(replace(run, effectiveness=None)).any()


def test_detectors_are_compared_only_where_something_changes(robot: Robot) -> None:
    runs, loaded = noisy_runs(robot, 5, 40), model_with(robot, NOISE)
    _, rows = calibration_rows(loaded, runs, ["push"] * 5, (1,), 0)
    assert [(r["tag"], r["detector"]) for r in rows[:2]] == [
        ("push", "disagreement"), ("push", "error"),
    ]  # fmt: skip
    assert rows[2]["detector"] == "error, 8 steps"
    assert rows[0]["area"] == 0.5  # equal members never disagree
    assert rows[1]["area"] == pytest.approx(0.5, abs=0.1)  # nothing changes but the label
    still = [replace(run, effectiveness=None) for run in runs]
    assert calibration_rows(loaded, still, ["push"] * 5, (1,), 0)[1] == []


def test_a_fault_of_one_output_shows_best_in_the_worst_one_over_a_while(robot: Robot) -> None:
    runs = []
    for run in noisy_runs(robot, 5, 40):
        pushes = np.diff(run.states, axis=0)
        pushes[20:, 1] *= 2.0  # one of four outputs, as the label says
        states = np.concatenate([run.states[:1], run.states[0] + pushes.cumsum(axis=0)])
        runs.append(replace(run, states=states.astype(np.float32)))
    _, rows = calibration_rows(model_with(robot, NOISE), runs, ["push"] * 5, (1,), 0)
    area = {row["detector"]: row["area"] for row in rows if row["tag"] == "push"}
    assert 0.55 < area["error"] < 0.8
    assert area["error, 8 steps"] > area["error"] + 0.1


def test_intervals_are_quantiles() -> None:
    particles = torch.arange(1.0, 200.0).view(1, 199, 1)  # quantiles .005, .01, ...
    inside, width = intervals(particles, torch.tensor([[160.0]]))
    assert inside.flatten().tolist() == [False, True, True]
    torch.testing.assert_close(width.flatten(), torch.tensor([100.0, 180.0, 198.0]))


def test_intervals_hold_their_share_of_truths_drawn_as_the_particles_are() -> None:
    drawn = torch.randn(4000, 201, 1, generator=Generator().manual_seed(0))
    inside, _ = intervals(drawn[:, 1:], drawn[:, 0])
    found = inside.float().mean(dim=(1, 2))
    torch.testing.assert_close(found, torch.tensor([0.5, 0.9, 0.99]), rtol=0.0, atol=0.008)


def test_the_area_under_the_curve_by_hand() -> None:
    before, after = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0])
    area, curve = roc(before, after)  # of 6 pairs 1 + 3 are right, one is a tie
    assert area == pytest.approx(4.5 / 6)
    assert curve[0] == (0.0, 0.0) and curve[-1] == (1.0, 1.0)
    assert all(a <= c and b <= d for (a, b), (c, d) in zip(curve, curve[1:], strict=False))
    assert roc(before, before + 10)[0] == 1.0


def test_a_model_without_heads_is_refused(robot: Robot) -> None:
    loaded = model_with(robot, 1.0)
    plain = replace(loaded.model, mlp=Ensemble((3, 4, 4), "silu", members=2))
    with pytest.raises(UserError, match="expected an ensemble with Gaussian heads"):
        calibration_rows(replace(loaded, model=plain), noisy_runs(robot, 1, 9), ["push"], (1,), 0)


def test_tables_have_a_row_for_each(robot: Robot) -> None:
    facts: dict[str, Any] = {"model": "mb", "tag": "all"}
    row = {"horizon": 8, "n": 5, "coverage_50": 0.5, "coverage_90": 0.85, "coverage_99": 1.0}
    table = coverage_table([{**facts, **row, "width_90": 1.25}])
    assert table.rows[0] == ("mb", "all", "8", "5", "50.0%", "85.0%", "100.0%", "1.25")
    row = {"detector": "error", "before": 0.1, "after": 0.3, "area": 0.75}
    assert detection_table([{**facts, **row}]).rows[0][2:] == ("error", "0.1", "0.3", "0.75")
