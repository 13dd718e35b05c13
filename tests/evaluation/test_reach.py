"""The arm's closed loop on its twin, with the models that are shipped."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from ros_mbmrl.dynamics.files import LoadedModel, load_model
from ros_mbmrl.episodes.arm import Reached, Reaching, run_reach
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.reach import Compare, compare, table
from ros_mbmrl.robots import make_robot
from ros_mbmrl.share import find
from ros_mbmrl.simulation.pr2 import PR2World
from ros_mbmrl.simulation.pr2_faults import ArmFault

ROBOT = make_robot("pr2_arm")


@pytest.fixture(scope="module")
def shipped() -> LoadedModel:
    folder = find("models/pr2_arm/bayes_context")
    assert folder is not None
    return load_model(folder, ROBOT)


def reached(distances: list[float]) -> Reached:
    times = np.array([0.5 * k for k in range(len(distances))])
    return Reached(times, np.outer(distances, [0.5, 1.0, 0.2]), ())


def test_final_is_the_worst_point_over_the_last_second() -> None:
    assert reached([0.5, 0.4, 0.02, 0.04]).final == pytest.approx(0.03)


def test_reached_counts_from_the_moment_it_stays() -> None:
    assert reached([0.5, 0.02, 0.04, 0.02, 0.01]).seconds == 1.5
    assert reached([0.5, 0.02, 0.04]).seconds == float("inf")
    assert reached([0.01, 0.02]).seconds == 0.0


def test_goals_differ_by_seed_and_not_by_fault() -> None:
    goals = [Reaching(seed).goal for seed in range(5)]
    assert len({tuple(goal) for goal in goals}) == 5
    assert (Reaching(2, ArmFault("push")).goal == goals[2]).all()
    starts = [PR2World(seed=seed).points() for seed in range(5)]
    far = [np.linalg.norm(g - s) for g, s in zip(goals, starts, strict=True)]
    assert min(far) > 0.1  # there is something to do


def test_the_shipped_model_reaches_within_three_centimetres(shipped: LoadedModel) -> None:
    finals = []
    for seed in (100, 101, 102):
        episode = run_reach(ROBOT, shipped, Reaching(seed, duration=6.0))
        assert episode.distances[0].max() > 0.1
        assert episode.summary()["safety_stops"] == 0
        finals.append(episode.final)
    assert np.median(finals) < 0.03


def test_the_same_seed_is_the_same_episode(shipped: LoadedModel) -> None:
    what = Reaching(7, duration=1.5)
    first, again = (run_reach(ROBOT, shipped, what) for _ in range(2))
    assert (first.distances == again.distances).all()
    worse = dataclasses.replace(what, fault=ArmFault("payload"))
    assert (run_reach(ROBOT, shipped, worse).distances != first.distances).any()


def test_the_table_has_a_line_a_fault_and_a_column_a_method() -> None:
    rows = [
        {"method": method, "fault": fault, "seed": seed, "final_m": final}
        for method, fault, final in (("mb", "none", 0.04), ("grbal", "none", 0.01))
        for seed in range(2)
    ]
    lines = table(rows).splitlines()
    assert lines[0] == "| fault | mb | grbal |"
    assert lines[2] == "| none | 40.0 mm (0/2) | 10.0 mm (2/2) |"


def test_bad_input_is_one_line() -> None:
    with pytest.raises(UserError, match="seeds >= 1"):
        compare(Compare(seeds=0))
    with pytest.raises(UserError, match="unknown fault 'gremlin'"):
        compare(Compare(faults=("gremlin",)))
    with pytest.raises(UserError, match="no model for method 'tango'"):
        compare(Compare(methods=("tango",)))
