"""Messages joined into steps: what belongs to one, and what is sent again."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest


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
