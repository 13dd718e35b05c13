"""Settings that may change while a robot moves: which, within what, and what they act on."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ros_mbmrl.agents.live_settings import LiveSettings, live_settings
from ros_mbmrl.errors import UserError
from ros_mbmrl.planning import PLANNERS, make_planner
from ros_mbmrl.planning.search import SamplingPlanner
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.arm_tasks import ArmWeights
from ros_mbmrl.robots.path_following import PathFollowing, make_path

HEXAPOD, ARM = make_robot("hexapod"), make_robot("pr2_arm")


def start(robot: Any = HEXAPOD, name: str = "mppi", **cost: Any) -> LiveSettings:
    return live_settings(robot, name, make_planner(name, robot.spec), 0.25, cost)


@pytest.mark.parametrize("name", [name for name in PLANNERS if name != "policy"])
def test_every_setting_is_a_parameter_with_its_value_and_range(name: str) -> None:
    found = start(name=name)
    assert set(found.values) == set(found.ranges)
    assert {"speed", f"planner.{name}.sigma", f"planner.{name}.num_samples"} <= set(found.values)
    assert (f"planner.{name}.temperature" in found.values) == (name == "mppi")
    assert f"planner.{name}.horizon" not in found.values
    for key, value in found.values.items():
        assert found.ranges[key].checked(key, value) == value


def test_changes_reach_speed_planner_and_weights() -> None:
    changes = {"speed": 0.4, "planner.mppi.temperature": 0.5, "planner.mppi.num_samples": 64}
    after = start().after({**changes, "cost.cross_track": 0.05})
    planner = after.planning(make_planner("mppi", HEXAPOD.spec))
    assert isinstance(planner, SamplingPlanner)
    assert (planner.config.num_samples, planner.config.horizon) == (64, 5)
    assert planner.config.temperature == 0.5  # type: ignore[attr-defined]
    assert after.since(start()) == {**changes, "cost.cross_track": 0.05}
    assert after.planning(planner) is planner

    task = PathFollowing(HEXAPOD, make_path("straight"), 0.25)
    task.reference(np.array([0.3, 0.1, *np.zeros(22)]))
    after.tune(task)
    assert (task.speed, task.weights.cross_track, task.weights.progress) == (0.4, 0.05, 0.1)
    assert task.progress == pytest.approx(0.3)


def test_the_speed_and_the_weights_act_on_the_next_cost() -> None:
    """0.1 m is right at 1 m/s, 0.075 m too far at 0.25; 0.04 m beside is 2 or 4 scales."""
    task = PathFollowing(HEXAPOD, make_path("straight").placed(0.0, 0.0, 0.0), 0.25)
    reference = task.reference(np.zeros(24))
    states, actions = torch.zeros(1, 2, 24), torch.zeros(1, 1, 2)
    states[0, 1, :2] = torch.tensor([0.1, 0.04])
    assert float(task.cost(states, actions, reference)) == pytest.approx(4.0 + 0.5625, rel=1e-4)
    start().after({"speed": 1.0, "cost.cross_track": 0.01}).tune(task)
    assert float(task.cost(states, actions, reference)) == pytest.approx(16.0, rel=1e-4)


def test_an_arm_has_weights_and_no_speed() -> None:
    found = start(ARM, "icem", torque=2)
    assert "speed" not in found.values and found.values["cost.torque"] == 2.0
    task = ARM.make_task("reach", np.zeros(23))
    found.after({"cost.velocity": 0.5}).tune(task)
    assert task.weights == ArmWeights(torque=2.0, velocity=0.5)  # type: ignore[attr-defined]


def test_a_robot_with_fixed_weights_and_a_planner_that_does_not_search_have_none() -> None:
    ant = make_robot("ant")
    found = live_settings(ant, "policy", object(), 0.25, {})  # type: ignore[arg-type]
    assert found.values == found.ranges == {}
    with pytest.raises(ValueError, match=r"speed: expected no setting: all others are read at"):
        found.after({"speed": 1.0})
    found.tune(ant.make_task("run", np.zeros(29)))
    with pytest.raises(UserError, match=r"the weights of ant's tasks are fixed"):
        live_settings(ant, "mppi", make_planner("mppi", ant.spec), 0.25, {"effort": 1.0})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"planner.mppi.horizon": 3}, "planner.mppi.horizon: expected speed, planner.mppi.num_sam"),
        ({"planner.icem.sigma": 0.1}, "planner.icem.sigma: expected speed, planner.mppi.num_sampl"),
        ({"seed": 3}, "seed: expected speed"),
        ({"speed": 0.0}, "speed: expected a number from 0.01 to 3, got 0.0"),
        ({"speed": math.nan}, "speed: expected a number from 0.01 to 3, got nan"),
        ({"planner.mppi.sigma": 11.0}, "planner.mppi.sigma: expected a number from 1e-06 to 10"),
        ({"planner.mppi.num_samples": 15}, "expected an integer from 16 to 600, got 15"),
        ({"planner.mppi.num_samples": 601}, "expected an integer from 16 to 600, got 601"),
        ({"cost.change": 0.0}, "cost.change: expected a number from 0.001 to 1000, got 0.0"),
        ({"cost.lookahead": 2.0}, "cost.lookahead: expected speed"),
    ],
)
def test_what_may_not_be_is_refused_with_a_reason(changes: dict[str, Any], reason: str) -> None:
    before = LiveSettings(**{**vars(start()), "most": 600})
    with pytest.raises(ValueError, match=reason):
        before.after({"speed": 0.3, **changes})


@pytest.mark.parametrize(("count", "most"), [(8, 8), (16, 16), (8, 40), (1, 1)])
def test_a_small_search_has_a_range_too(count: int, most: int) -> None:
    planner = make_planner("mppi", HEXAPOD.spec, num_samples=count)
    begun = live_settings(HEXAPOD, "mppi", planner, 0.25, {})
    now = LiveSettings(**{**vars(begun), "most": most})
    known = now.ranges["planner.mppi.num_samples"]
    assert (known.low, known.high) == (min(count, 16), most)
    assert now.after({"planner.mppi.num_samples": count}) == now


def test_settings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match=r"planner\.cem\.min_sigma: expected a number from 0 to"):
        start(name="cem").after({"planner.cem.sigma": 0.001})


@pytest.mark.parametrize(
    ("cost", "reason"),
    [
        ({"lookahead": 1.0}, "cost.lookahead: expected one of"),
        ({"change": -1.0}, "cost.change: expected"),
    ],
)
def test_a_wrong_weight_of_the_start_is_named(cost: dict[str, Any], reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        start(**cost)


KNOWN = sorted(start().values)
VALUES = st.one_of(
    st.floats(), st.integers(-10, 2000), st.booleans(), st.none(), st.floats(0.001, 1.0)
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from([*KNOWN, "seed"]), VALUES, max_size=3)))
def test_whatever_is_asked_for_settings_stay_in_range_and_plans_can_be_made(
    asked: list[dict[str, Any]],
) -> None:
    now = LiveSettings(**{**vars(start()), "most": 600})
    ranges = now.ranges
    for changes in asked:
        try:
            after = now.after(changes)
        except ValueError:
            continue
        assert after.values == {**now.values, **changes}
        assert after.ranges == ranges
        now = after
    for name, value in now.values.items():
        assert math.isfinite(value) and ranges[name].low <= value <= ranges[name].high
    planner = make_planner("mppi", HEXAPOD.spec)
    assert now.planning(planner).config == now.planner  # type: ignore[attr-defined]
