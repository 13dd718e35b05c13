"""The driver's own rate limit: from its stop until the plant has what safety sent."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ros_mbmrl.nodes.catch_up import CatchUp
from ros_mbmrl.robots.hexapod import SPEC

STEP, HIGH = SPEC.action_step, SPEC.action_high
COMMANDS = st.tuples(*(st.floats(0.0, high) for high in HIGH)).map(np.array)


def test_what_is_near_enough_is_the_same_array_and_ends_the_limit() -> None:
    limit = CatchUp(SPEC)
    for action in (0.5 * STEP, HIGH, np.array([HIGH[0], 0.0])):
        limit.next_period(action)
        assert limit.limit(action) is action


def test_each_period_allows_a_step_from_what_the_plant_was_given_in_the_last() -> None:
    limit = CatchUp(SPEC)
    first = limit.limit(HIGH)
    assert first.tolist() == STEP.tolist() == limit.limit(HIGH).tolist()
    limit.next_period(first)
    assert limit.limit(HIGH) is HIGH


def test_a_stop_within_a_period_counts_from_rest() -> None:
    limit = CatchUp(SPEC)
    limit.next_period(limit.limit(STEP.copy()))
    limit.stopped()
    assert limit.limit(HIGH).tolist() == STEP.tolist()


def test_rest_is_given_at_once() -> None:
    limit = CatchUp(SPEC)
    limit.next_period(HIGH)
    assert limit.limit(SPEC.rest).tolist() == SPEC.rest.tolist()


@given(COMMANDS, st.lists(COMMANDS, min_size=1, max_size=5))
def test_until_it_has_caught_up_no_command_is_further_than_a_step(
    before: np.ndarray, sent: list[np.ndarray]
) -> None:
    limit = CatchUp(SPEC)
    limit.next_period(before)
    for action in sent:
        near = limit.limit(action)
        assert (np.abs(near - before) <= STEP * (1 + 1e-9)).all() or not near.any()
        assert ((near >= 0.0) & (near <= HIGH)).all()
        if near is action:
            break
