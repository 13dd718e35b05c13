"""What is kept for the monitor, how old it is, and when a proposal can be answered."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ros_mbmrl.safety.inputs import HEARD_SILENT, MODEL_SILENT, Inputs


class Bench:
    """Inputs on a clock that the test moves."""

    def __init__(self, lockstep: bool = False, adaptation: bool = False) -> None:
        self.now = 100.0
        self.inputs = Inputs(lambda: self.now, lockstep, adaptation)

    def state(self, stamp: int, age: float = 0.0) -> None:
        self.inputs.take_state(stamp, 1e-9 * stamp, np.zeros(2), age)

    def propose(self, stamp: int) -> None:
        self.inputs.take_proposal(stamp, np.ones(2), False)


def test_what_never_came_is_infinitely_old() -> None:
    assert Bench().inputs.ages() == (math.inf, math.inf)
    assert Bench().inputs.health("").model_error == 0.0


def test_ages_grow_with_the_steady_clock() -> None:
    bench = Bench()
    bench.state(1, age=0.03)
    bench.now += 0.1
    bench.propose(1)
    bench.now += 0.05
    assert bench.inputs.ages() == pytest.approx((0.18, 0.05))
    assert bench.inputs.now == bench.now


def test_in_lockstep_time_is_the_states_and_nothing_grows_old() -> None:
    bench = Bench(lockstep=True)
    assert bench.inputs.now == 0.0
    bench.state(2_000_000_000, age=0.03)
    bench.propose(1)
    bench.inputs.take_error(1, 3.0)
    bench.now += 60.0
    assert bench.inputs.ages() == (0.03, 0.0)
    assert bench.inputs.now == 2.0
    assert bench.inputs.health("").model_error == 3.0


def test_a_proposal_is_due_once_with_its_state() -> None:
    bench = Bench()
    assert bench.inputs.due(None) is None
    bench.propose(2)
    assert bench.inputs.due(None) is None
    bench.state(1)
    assert bench.inputs.due(None) is None
    bench.state(2)
    due = bench.inputs.due(None)
    assert due is not None and due.stamp == 2
    assert bench.inputs.due(None) is None


def test_an_older_proposal_and_a_second_one_are_due_at_once() -> None:
    bench = Bench(lockstep=True, adaptation=True)
    bench.propose(7)
    assert bench.inputs.due(answered=7) is not None  # whatever else has come
    bench = Bench()
    bench.state(9)
    bench.propose(7)
    assert bench.inputs.due(answered=8) is not None


def test_in_lockstep_a_proposal_waits_for_its_model_error() -> None:
    bench = Bench(lockstep=True, adaptation=True)
    bench.state(2)
    bench.propose(2)
    bench.inputs.take_error(1, 0.5)
    assert bench.inputs.due(None) is None
    bench.inputs.take_error(2, 0.5)
    assert bench.inputs.due(None) is not None


def test_proposals_out_of_turn_are_counted() -> None:
    bench = Bench()
    for stamp in (1, 2, 2, 1, 3):
        bench.propose(stamp)
    assert (bench.inputs.repeated, bench.inputs.disordered) == (1, 1)


def test_a_model_that_fell_silent_is_not_trusted() -> None:
    bench = Bench()
    bench.now += 10 * MODEL_SILENT
    assert bench.inputs.health("").model_error == 0.0  # nobody ever spoke of one
    bench.inputs.take_error(1, 2.0)
    bench.now += MODEL_SILENT
    assert bench.inputs.health("").model_error == 2.0
    bench.now += 1e-3
    assert bench.inputs.health("").model_error == math.inf


def test_the_monitor_is_told_all_of_it() -> None:
    bench = Bench()
    bench.state(1, age=0.02)
    bench.inputs.take_proposal(1, None, True)
    bench.inputs.plant_fault = "radio silent"
    health = bench.inputs.health("two of them")
    assert (health.state_age, health.command_age) == (0.02, 0.0)
    assert health.planner_failed and not health.stop_requested
    assert (health.plant_fault, health.peers) == ("radio silent", "two of them")
    assert bench.inputs.is_new(2) and not bench.inputs.is_new(1)


def test_what_the_driver_heard_before_the_state_came_counts() -> None:
    bench = Bench()
    bench.state(1)
    assert bench.inputs.health("").heard is None
    bench.inputs.take_heard(np.ones(2))
    assert bench.inputs.health("").heard is None  # the state was measured before
    bench.state(2)
    heard = bench.inputs.health("").heard
    assert heard is not None and heard.tolist() == [1.0, 1.0]
    bench.now += HEARD_SILENT + 0.1
    bench.state(3)
    assert bench.inputs.health("").heard is None
