"""Messages joined into steps: what belongs to one, and what is sent again."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.data.recording import read_messages
from ros_mbmrl.data.step_reader import read_run
from ros_mbmrl.robots import make_robot


def test_a_step_holds_what_belongs_to_it(
    script: Any, measurement: Callable[[int], np.ndarray]
) -> None:
    script.steps(0, 3)
    script.command(1_100_000_000, [5.0, 6.0], "command/proposed")
    script.command(1_200_000_000, [], "command/proposed")
    script.timing(1_100_000_000, offset=0.031)
    script.timing(1_200_000_000, missed=1, offset=math.nan)
    first, second, third = script.run().steps
    np.testing.assert_array_equal(second.measurement, measurement(1))
    assert (first.planned, first.proposed) == (False, None)
    assert second.planned and second.proposed is not None
    assert second.proposed.tolist() == [5.0, 6.0]
    assert (third.planned, third.proposed, third.late) == (True, None, True)
    assert (second.offset, second.late) == (0.031, False)
    assert (second.given, second.limited) == (None, False)
    assert second.measured == second.stamp - 5_000_000
    assert second.logged == script.ahead + second.stamp


def test_a_step_that_is_sent_again_counts_once(
    script: Any, measurement: Callable[[int], np.ndarray]
) -> None:
    script.steps(0, 3)
    script.state(1_200_000_000, measurement(2))
    run = script.run()
    assert len(run.steps) == 3
    assert run.period == pytest.approx(0.1)


def test_what_the_driver_gave_instead_of_the_command_is_told(script: Any) -> None:
    script.steps(0, 4)
    script.timing(1_000_000_000, commanded="(7.0, 8.0)")
    script.timing(1_100_000_000, limited=1, commanded="(3.0, 4.5)")
    script.timing(1_200_000_000, missed=1, commanded="(0.0, 0.0)")
    script.timing(1_300_000_000, missed=1)  # an older recording
    steps = script.run().steps
    given = [None if step.given is None else step.given.tolist() for step in steps]
    assert given == [None, [3.0, 4.5], [0.0, 0.0], None]
    assert [step.limited for step in steps] == [False, True, False, False]


def test_changes_of_settings_are_numbers_by_name_with_their_stamp(script: Any) -> None:
    script.steps(0, 4)
    for owner, stamp in (("hexapod", 1_100_000_000), ("another", 1_200_000_000)):
        values = {"speed": 0.1, "planner.icem.num_samples": 32}
        script.line("/diagnostics", stamp, "controller: tuning", owner, **values)
    (change,) = script.run().changes
    assert (change.clock, change.stamp) == (0, 1_100_000_000)
    assert change.values == {"speed": 0.1, "planner.icem.num_samples": 32}
    assert [type(value) for value in change.values.values()] == [float, int]


@pytest.mark.parametrize("text", ["fast", "", "[0, 1]"])
def test_a_change_that_is_no_number_is_one_line(script: Any, text: str) -> None:
    script.steps(0, 4)
    script.line("/diagnostics", 1_100_000_000, "controller: tuning", speed=text)
    with pytest.raises(ValueError, match="could not convert"):
        script.run()


@pytest.mark.parametrize(
    ("robot", "number", "value"),
    [("half_cheetah", "vx", 2.65898873), ("ant", "gyro_z", None)],
)
def test_recordings_of_version_0_1_are_read(robot: str, number: str, value: float | None) -> None:
    """Two short runs as the first version recorded them, with map-frame velocities in `odom`."""
    path = Path(__file__).parent / "recordings" / f"{robot}_0_1.mcap"
    run = read_run(path)
    names = [quantity.name for quantity in make_robot(robot).spec.measurement]
    at = names.index(number)
    told = [recorded.message for recorded in read_messages(path, [f"/{robot}/odom"])]
    raw = [m.twist.twist.linear.x if value else m.twist.twist.angular.z for m in told]
    assert len(run.steps) == 8
    assert [step.measurement[at] for step in run.steps] == raw[:8]
    assert value is None or run.steps[3].measurement[at] == pytest.approx(value)
    assert any(step.given is not None or step.offset >= 0 for step in run.steps)  # diagnostics
