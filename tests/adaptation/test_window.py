"""The live window: which transitions the model is adapted to."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.adaptation.window import LiveWindow
from ros_mbmrl.robots.spec import Robot


def feed(window: LiveWindow, steps: int, first: int = 0, last_command: bool = False) -> None:
    """States of speed k, answered by drive k / 100; the newest state is not answered yet."""
    for k in range(first, first + steps):
        window.observe(np.array([0.0, 0.0, 0.0, k]), 0.1 * k)
        if k < first + steps - 1 or last_command:
            window.commanded(np.array([k / 100, 0.0]), 0.1 * k)


def test_the_window_ends_at_the_newest_complete_transition(robot: Robot) -> None:
    window = LiveWindow(robot, 4)
    feed(window, 10)
    got = window.transitions()
    assert got.features[:, 0].tolist() == [5, 6, 7, 8]  # 9 is the state to act from
    np.testing.assert_allclose(got.actions[:, 0], [0.05, 0.06, 0.07, 0.08], rtol=1e-6)
    assert got.changes[:, 3].tolist() == [1, 1, 1, 1]


def test_a_command_alone_completes_nothing(robot: Robot) -> None:
    window = LiveWindow(robot, 4)
    feed(window, 1, last_command=True)
    assert len(window.transitions()) == 0


def test_the_first_transition_is_used_as_soon_as_it_is_there(robot: Robot) -> None:
    window = LiveWindow(robot, 4)
    for steps in (1, 2, 3, 4):
        feed(window, 1, first=steps - 1, last_command=True)
        assert len(window.transitions()) == steps - 1


def test_an_empty_window_has_the_robots_widths(robot: Robot) -> None:
    window = LiveWindow(robot, 4).transitions()
    assert window.features.shape == (0, 1)
    assert window.actions.shape == (0, 2)
    assert window.changes.shape == (0, 4)


@pytest.mark.parametrize("stamp", [0.1 * 4 + 0.16, 0.1 * 4 + 0.04, 0.0])
def test_a_gap_clears_it(robot: Robot, stamp: float) -> None:
    window = LiveWindow(robot, 8)
    feed(window, 5, last_command=True)
    window.observe(np.zeros(4), stamp)
    assert len(window.transitions()) == 0
    window.commanded(np.zeros(2), stamp)
    window.observe(np.zeros(4), stamp + 0.1)
    assert len(window.transitions()) == 1


def test_jitter_does_not_clear_it(robot: Robot) -> None:
    window = LiveWindow(robot, 8)
    for stamp in (0.0, 0.06, 0.2, 0.25 + 0.05):
        window.observe(np.zeros(4), stamp)
        window.commanded(np.zeros(2), stamp)
    assert len(window.transitions()) == 3


def test_a_command_with_another_stamp_is_ignored(robot: Robot) -> None:
    window = LiveWindow(robot, 8)
    window.observe(np.zeros(4), 0.0)
    window.observe(np.ones(4), 0.1)
    window.commanded(np.ones(2), 0.0)  # the answer to the state before came too late
    window.observe(np.ones(4), 0.2)
    assert len(window.transitions()) == 0


def test_the_last_command_of_a_stamp_counts(robot: Robot) -> None:
    window = LiveWindow(robot, 8)
    window.observe(np.zeros(4), 0.0)
    window.commanded(np.array([1.0, 0.0]), 0.0)
    window.commanded(np.array([0.5, 0.0]), 0.0)
    window.observe(np.ones(4), 0.1)
    assert window.transitions().actions.tolist() == [[0.5, 0.0]]


def test_a_command_before_any_state_is_ignored(robot: Robot) -> None:
    window = LiveWindow(robot, 8)
    window.commanded(np.ones(2), 0.0)
    window.observe(np.ones(4), 0.0)
    window.observe(np.ones(4), 0.1)
    assert len(window.transitions()) == 0


def test_what_was_handed_out_does_not_change(robot: Robot) -> None:
    window = LiveWindow(robot, 2)
    state = np.zeros(4)
    window.observe(state, 0.0)
    window.commanded(np.zeros(2), 0.0)
    window.observe(np.ones(4), 0.1)
    window.commanded(np.zeros(2), 0.1)
    before = window.transitions()
    copy = before.features.clone()
    window.observe(np.full(4, 2.0), 0.2)
    assert len(before) == 1
    assert before.features.equal(copy)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_caller_may_reuse_its_arrays(robot: Robot, dtype: type) -> None:
    window = LiveWindow(robot, 2)
    state, action = np.zeros(4, dtype=dtype), np.zeros(2, dtype=dtype)
    window.observe(state, 0.0)
    window.commanded(action, 0.0)
    state += 1
    action += 1
    window.observe(state, 0.1)
    got = window.transitions()
    assert got.features.tolist() == [[0.0]]
    assert got.actions.tolist() == [[0.0, 0.0]]


def test_a_window_without_room_is_refused(robot: Robot) -> None:
    with pytest.raises(ValueError, match="size: expected at least 1"):
        LiveWindow(robot, 0)
