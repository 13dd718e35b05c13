"""The figures of an episode, worked out by hand."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.agents.model import ModelAgent
from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.episodes.batch import run_episodes
from ros_mbmrl.episodes.hexapod import Episode, hexapod_stage, run_episode
from ros_mbmrl.episodes.scenario import Scenario
from ros_mbmrl.plants.environment import PlantEnvironment
from ros_mbmrl.plants.twin import TwinConfig, TwinPlant
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.path_following import PathWeights, make_path
from ros_mbmrl.robots.paths import SPEED
from ros_mbmrl.safety.types import Level
from ros_mbmrl.simulation.faults import Fault

ROBOT = make_robot("hexapod")


def _step(level: Level = Level.RUN, before: float = 2.0, after: float = 1.0) -> Any:
    return SimpleNamespace(
        adapted=SimpleNamespace(
            report=SimpleNamespace(error_before=before, error_after=after, accepted=True)
        ),
        checked=SimpleNamespace(level=level),
        plan_seconds=0.01,
        adapt_seconds=0.002,
    )


def _episode(cross_track: list[float], lag: float = 0.0, **last: Any) -> Episode:
    times = 0.1 * np.arange(len(cross_track))
    steps = (*(_step() for _ in cross_track[1:]), _step(**last))
    along = (SPEED - lag) * times
    return Episode(times, np.zeros((len(times), 3)), along, np.array(cross_track), steps)


def test_only_what_comes_after_counts() -> None:
    episode = _episode([0.01, 0.01, -0.02, -0.04], before=4.0)
    assert episode.summary()["cross_track_mean_m"] == pytest.approx(0.02)
    later = episode.summary(after=0.2)
    assert later["cross_track_mean_m"] == pytest.approx(0.03)
    assert later["cross_track_max_m"] == pytest.approx(0.04)
    assert later["prediction_error_prior"] == pytest.approx(3.0)
    assert later["progress_m_s"] == pytest.approx(SPEED)


def test_return_is_minus_the_mean_of_the_scaled_errors() -> None:
    scale = PathWeights().cross_track  # an error as large as its scale costs 1
    assert _episode([scale, scale, -scale]).summary()["return"] == pytest.approx(-1.0)
    # 0.1 m/s too slow is 1 cm a period: (1 cm / 10 cm)^2
    assert _episode([0.0, 0.0, 0.0], lag=0.1).summary()["return"] == pytest.approx(-0.01)


def test_an_episode_that_safety_ended_before_the_fault_counts_its_last_step() -> None:
    summary = _episode([0.0, 0.5], level=Level.LATCHED).summary(after=10.0)
    assert summary["cross_track_mean_m"] == pytest.approx(0.5)
    assert summary["progress_m_s"] == 0.0
    assert summary["safety_stops"] == 1


def test_a_single_step_is_an_episode() -> None:
    summary = _episode([PathWeights().cross_track]).summary()
    assert (summary["progress_m_s"], summary["return"]) == (0.0, pytest.approx(-1.0))


def test_hexapods_side_by_side_are_twins_of_their_own() -> None:
    scenarios = Scenario(path="straight"), Scenario(path="left", fault=Fault("payload", 0.2))
    rows = PlantEnvironment(hexapod_stage(ROBOT), scenarios, [3, 4])
    walk = np.full((2, 2), 30.0)
    config = TwinConfig(faults=(scenarios[1].fault,), seed=9, start=make_path("left").start)
    rows.step(walk)
    rows.reset(np.array([False, True]), scenarios[1:], [9])
    alone, estimator = TwinPlant(ROBOT, config), StateEstimator(ROBOT)
    state = estimator.update(alone.observe())
    for _ in range(4):
        assert rows.states()[1].tolist() == state.tolist()
        rows.step(walk)
        alone.command(walk[1])
        alone.advance(ROBOT.spec.period)
        state = estimator.update(alone.observe())
    assert rows.times == pytest.approx([0.5, 0.4])


def test_a_hexapod_is_rewarded_for_its_path_by_hand() -> None:
    rows = PlantEnvironment(hexapod_stage(ROBOT), [Scenario(path="straight")], [3])
    before, weights = rows.states()[0], PathWeights()
    (reward,) = rows.step(np.zeros((1, 2))).reward
    names = [quantity.name for quantity in ROBOT.spec.state]
    x, y = (rows.states()[0, names.index(name)] for name in "xy")
    along = x - max(before[names.index("x")], -2.5)  # the path is along y = 0, from x = -2.5 m
    cost = (y / weights.cross_track) ** 2
    cost += ((along - SPEED * ROBOT.spec.period) / weights.progress) ** 2
    assert reward == pytest.approx(-cost, rel=1e-3)


# [rad/s] About the radio's unit of a leg's speed. Sums of many robots have another order than those
# of one, so that a command may round to the next count; where it does, the processor decides.
COUNT = 1.1e-3


def test_many_hexapods_run_as_each_does_alone() -> None:
    faulty = Scenario("straight", fault=Fault("payload", 0.3), duration=0.8, seed=5)
    scenarios, planning = (faulty, Scenario("left", duration=0.8, seed=6)), {"num_samples": 64}
    loaded = load_model(Path(__file__).parents[2] / "models/hexapod/grbal", ROBOT)
    rows = PlantEnvironment(hexapod_stage(ROBOT), scenarios, [5, 6])
    together = run_episodes(rows, ModelAgent(loaded, planning=planning), 8, [5, 6])
    close = partial(np.testing.assert_allclose, atol=2.5 * COUNT)
    for n, scenario in enumerate(scenarios):
        alone = run_episode(ROBOT, loaded, scenario, None, "mppi", planning).steps
        close(together.states[:-1, n], [s.state for s in alone])
        close(together.actions[:, n], [step.checked.action for step in alone])
    assert together.lasted.tolist() == [8, 8]
