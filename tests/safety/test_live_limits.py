"""Limits that may become narrower in mid-run: never wider than at the start, whatever is asked."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ros_mbmrl.robots.hexapod import Hexapod
from ros_mbmrl.robots.pr2_arm import PR2Arm
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.safety.limits import limits_of, narrowed
from ros_mbmrl.safety.live_limits import LiveLimits
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import Health, Level

TIGHT = narrowed(Hexapod(), {"left_legs": [0.0, 20.0], "arena_x": [-1.0, 1.0]})
ROBOTS: dict[str, Robot] = {"hexapod": Hexapod(), "tight": TIGHT, "arm": PR2Arm()}


def test_what_was_narrowed_may_be_undone_but_not_beyond_the_start() -> None:
    narrow = LiveLimits(TIGHT).after({"limits.left_legs": [0.0, 5.0], "limits.vx": [-1.0, 1.0]})
    assert narrow.robot.spec.action_high[0] == 5.0
    assert narrow.robot.spec.envelope.state_limits["vx"] == (-1.0, 1.0)
    assert narrow.robot.spec.envelope.arena[:2] == (-1.0, 1.0)
    back = narrow.after({"limits.left_legs": [0, 20], "limits.vx": [-math.inf, math.inf]})
    assert limits_of(back.robot) == limits_of(TIGHT)
    told = {"limits.left_legs": [0.0, 20.0], "limits.vx": [-math.inf, math.inf]}
    assert back.since(narrow) == told
    with pytest.raises(ValueError, match="left_legs: expected a range within 0 to 20, got 0 to 21"):
        narrow.after({"limits.left_legs": [0.0, 21.0]})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"limits.colour": [0.0, 1.0]}, "limits.colour: expected one of limits.x"),
        ({"left_legs": [0.0, 1.0]}, "left_legs: expected one of limits.x"),
        ({"limits.left_legs": [math.nan, 1.0]}, "left_legs: expected finite numbers, got"),
        ({"limits.left_legs": [0.0, math.inf]}, "left_legs: expected finite numbers, got"),
        ({"limits.left_legs": [5.0, 1.0]}, "left_legs: expected low below high, got 5 and 1"),
        ({"limits.left_legs": [1.0, 5.0]}, "expected a range with 0 in it: standing still"),
        ({"limits.left_legs": [0.0]}, r"left_legs: expected \[low, high\]"),
        ({"limits.left_legs": []}, r"left_legs: expected \[low, high\]"),
        ({"limits.left_legs": [0.0, 1.0, 2.0]}, r"left_legs: expected \[low, high\]"),
        ({"limits.vx": [-math.inf, -math.inf]}, "vx: expected finite numbers"),
        ({"limits.arena_x": [-0.2, 0.2]}, "has no room inside a margin of 0.3 m"),
        ({"limits.arena_x": [-1.5, 0.5]}, "arena_x: expected a range within -1 to 1"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_taken(changes: dict[str, Any], reason: str) -> None:
    before = LiveLimits(TIGHT)
    with pytest.raises(ValueError, match=reason):
        before.after({"limits.right_legs": [0.0, 5.0], **changes})
    assert before.values == {f"limits.{name}": own for name, own in limits_of(TIGHT).items()}


number = st.floats() | st.floats(-3.0, 3.0) | st.sampled_from([0.0, 20.0, 56.0])


@settings(max_examples=100, deadline=None)
@given(name=st.sampled_from(sorted(ROBOTS)), data=st.data())
def test_no_sequence_of_changes_ever_widens_a_limit(name: str, data: st.DataObject) -> None:
    start = ROBOTS[name]
    own, now = limits_of(start), LiveLimits(start)
    known = st.sampled_from([f"limits.{each}" for each in own])
    for _ in range(data.draw(st.integers(1, 12))):
        changes = data.draw(st.dictionaries(known, st.lists(number, min_size=2, max_size=2)))
        try:
            after = now.after(changes)
        except ValueError:
            continue
        assert after.values == {**now.values, **{k: tuple(v) for k, v in changes.items()}}
        now = after
    spec = now.robot.spec
    for limit, (low, high) in limits_of(now.robot).items():
        assert own[limit][0] <= low < high <= own[limit][1]
    assert (spec.action_low >= start.spec.action_low).all()
    assert (spec.action_high <= start.spec.action_high).all()
    np.testing.assert_array_equal(spec.rest, start.spec.rest)
    np.testing.assert_array_equal(spec.action_step, start.spec.action_step)


def standing(count: int) -> np.ndarray:
    """An upright hexapod in the middle of its arena, whose sensors never say the same twice."""
    state = 1e-3 * np.sin(count + np.arange(24.0))
    state[[6, 8, 10, 15, 17]] = 1.0
    state[23] = 4.0
    return state


def walking() -> tuple[SafetyMonitor, np.ndarray]:
    """A monitor that lets the legs go at 50 rad/s, and that command."""
    monitor, fast = SafetyMonitor(Hexapod()), np.full(2, 50.0)
    for k in range(20):
        checked = monitor.update(0.1 * k, fast, standing(k), Health())
    assert checked.level is Level.RUN and checked.action.tolist() == [50.0, 50.0]
    return monitor, fast


def test_a_command_outside_of_a_narrower_range_is_clipped_at_the_next_update() -> None:
    monitor, fast = walking()
    monitor.watch(LiveLimits(Hexapod()).after({"limits.left_legs": [0.0, 10.0]}).robot)
    checked = monitor.update(2.0, fast, standing(20), Health())
    assert checked.action.tolist() == [10.0, 50.0]
    assert checked.level is Level.LIMITED
    assert checked.reasons == ("command_range: left_legs is out of range",)
    monitor.watch(Hexapod())
    widened = monitor.update(2.1, fast, standing(21), Health()).action
    assert widened[0] == pytest.approx(10.0 + Hexapod.spec.action_step[0])  # back within the rate


def test_a_state_outside_of_a_narrower_limit_latches_and_the_latch_outlasts_undoing_it() -> None:
    monitor, fast = walking()
    limits = LiveLimits(Hexapod()).after({"limits.battery": [4.1, 9.0]})
    monitor.watch(limits.robot)
    checked = monitor.update(2.0, fast, standing(20), Health())
    assert checked.level is Level.LATCHED and checked.action.tolist() == [0.0, 0.0]
    assert not monitor.reset(2.0)[0]
    monitor.watch(limits.after({"limits.battery": [-math.inf, math.inf]}).robot)
    assert monitor.update(2.1, fast, standing(21), Health()).level is Level.LATCHED
    assert monitor.reset(2.1)[0]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.floats(0.0, 60.0), min_size=2, max_size=2),
            st.none() | st.tuples(st.floats(-1.0, 1.0), st.floats(0.1, 60.0)),
        ),
        max_size=20,
    )
)
def test_commands_keep_to_the_limits_in_force_and_to_the_rate_within_them(steps: list[Any]) -> None:
    monitor, _ = walking()
    limits, last = LiveLimits(Hexapod()), np.full(2, 50.0)
    for k, (proposed, changed) in enumerate(steps):
        if changed is not None:
            with suppress(ValueError):
                limits = limits.after({"limits.left_legs": changed})
                monitor.watch(limits.robot)
        spec = limits.robot.spec
        action = monitor.update(
            2.0 + 0.1 * k, np.array(proposed), standing(20 + k), Health()
        ).action
        assert (spec.action_low <= action).all() and (action <= spec.action_high).all()
        begun = np.clip(last, spec.action_low, spec.action_high)
        assert (np.abs(action - begun) <= spec.action_step + 1e-9).all() or not action.any()
        last = action
