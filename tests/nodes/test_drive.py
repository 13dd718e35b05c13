"""The driver's loop and its pacing, on a clock that the test moves."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.nodes.drive import DriveConfig, DriveLoop, Timing
from ros_mbmrl.nodes.inbox import Inbox
from ros_mbmrl.nodes.messages import nanoseconds
from ros_mbmrl.plants.base import PlantFault
from ros_mbmrl.robots.hexapod import SPEC
from ros_mbmrl.runtime.pacing import Pacer


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Interrupt(threading.Event):
    """An event whose waiting moves the clock instead."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self._clock.now += timeout or 0.0
        return self.is_set()


class Rig:
    """A loop whose commands come at chosen moments: answers[k] = offsets of the k-th period."""

    def __init__(self, plant: Any, answers: list[list[float]], **config: Any) -> None:
        self.plant, self.answers = plant, answers
        self.clock = Clock()
        self.stop = Interrupt(self.clock)
        self.inbox = Inbox(self.clock)
        self.timings: list[Timing] = []
        self.observed: list[float] = []
        self.loop = DriveLoop(
            plant,
            SPEC,
            self.inbox,
            DriveConfig(**config),
            self.publish,
            self.timings.append,
            lambda: self.plant.log.append("started"),
            self.clock,
            self.told,
        )
        self.faults: list[str] = []
        self.command: Callable[[int], list[float]] = lambda k: [1.0 + k, 2.0]  # of period k

    def told(self, reason: str) -> None:
        if reason:
            self.faults.append(reason)
            self.plant.fault = ""

    def publish(self, measurement: Any, previous: Any) -> None:
        k = len(self.observed)
        if not self.plant.simulated:  # waiting for commands does not move the clock
            self.clock.now = max(self.clock.now, 0.1 * k)
        began = self.clock.now
        self.observed.append(began)
        if k >= len(self.answers):
            self.stop.set()
            return
        for offset in self.answers[k]:
            self.clock.now = began + offset
            self.inbox.deliver(nanoseconds(measurement.time), np.array(self.command(k)))
        self.clock.now = max(began, self.clock.now)

    def run(self) -> Rig:
        self.loop.run(self.stop)
        return self


def test_each_command_acts_from_the_moment_it_came(plant: Any) -> None:
    advanced: list[float] = []
    plant.advance = advanced.append
    rig = Rig(plant, [[0.03], [0.06]]).run()
    assert advanced == pytest.approx([0.03, 0.07, 0.06, 0.04])
    assert [t.offset_s for t in rig.timings] == pytest.approx([0.03, 0.06])
    assert rig.observed == pytest.approx([0.0, 0.1, 0.2])


def test_a_command_that_does_not_come_is_a_missed_deadline(plant: Any) -> None:
    rig = Rig(plant, [[], [0.01], [], [0.01]]).run()
    # Before the first command there is no deadline to miss.
    assert [t.missed for t in rig.timings] == [0, 0, 1, 0]
    assert rig.timings[-1].missed_deadlines == 1
    assert plant.log.count("started") == 1


def test_seconds_of_faults_count_from_the_first_command_that_moves(plant: Any) -> None:
    plant.faults_from = lambda second: plant.log.append(("from", second))
    rig = Rig(plant, [[], [0.01], [0.02], [0.01]])
    rig.command = lambda k: [0.0, 0.0] if k < 2 else [1.0, 2.0]
    assert plant.log == [("from", math.inf)]
    rig.run()
    assert [entry for entry in plant.log if entry[0] == "from"] == [
        ("from", math.inf),
        ("from", pytest.approx(0.2)),
    ]
    assert plant.log.index(("from", pytest.approx(0.2))) < plant.log.index((1.0, 2.0))


def test_silence_stops_the_plant_once(plant: Any) -> None:
    rig = Rig(plant, [[0.01], [], [], [], [], [0.01]]).run()
    assert rig.timings[-1].timeouts == 1
    assert plant.log.count("stop") == 1
    # command_timeout is 0.25 s: the third silent interval begins at rest.
    assert plant.log.index("stop") < plant.log.index((6.0, 2.0))


def test_every_command_that_reached_the_plant_is_told_once_with_its_time(plant: Any) -> None:
    rig = Rig(plant, [[0.01, 0.04], [], [], [0.02]]).run()
    silent = 0.04 + SPEC.envelope.command_timeout
    told = [list(timing.given) for timing in rig.timings]
    assert [[command[1:] for command in period] for period in told] == [
        [(1.0, 2.0), (1.0, 2.0)],
        [],
        [(0.0, 0.0)],  # a stop of the driver's own
        [(4.0, 2.0)],
    ]
    times = [command[0] for period in told for command in period]
    assert times == pytest.approx([0.01, 0.04, silent, 0.32])


def test_a_robot_that_stays_unheard_leaves_no_heap_of_stops(plant: Any) -> None:
    plant.simulated = False
    rig = Rig(plant, [[0.01], [0.01]])
    publish, faults = rig.loop._publish, iter(["radio: no reply"] * 50)

    def publish_and_fail(measurement: Any, previous: Any) -> None:
        publish(measurement, previous)
        plant.fault = "radio: no reply"

    def told(reason: str) -> None:
        plant.fault = next(faults, "") if reason else plant.fault

    rig.loop._publish, rig.loop._faulty = publish_and_fail, told
    rig.run()
    assert plant.log.count("stop") > 50
    assert [[command[1:] for command in t.given] for t in rig.timings] == [
        [(1.0, 2.0)],
        [(0.0, 0.0), (2.0, 2.0)],
    ]


def test_the_duration_counts_from_the_first_command(plant: Any) -> None:
    rig = Rig(plant, [[], [], *[[0.01]] * 9], duration=0.3).run()
    assert len(rig.timings) == 5
    assert plant.now == pytest.approx(0.5)


def test_a_start_without_commands_fails(plant: Any) -> None:
    with pytest.raises(RunError, match="no command within 1 s of the start"):
        Rig(plant, [[]] * 20, startup_timeout=1.0).run()


def test_lockstep_advances_a_whole_period_under_the_first_command(plant: Any) -> None:
    advanced: list[float] = []
    plant.advance = advanced.append
    rig = Rig(plant, [[0.5], [0.01, 0.02]], lockstep=True).run()
    assert advanced == [0.1, 0.1]
    assert len(rig.timings) == 2


def test_a_real_robot_is_sent_each_command_as_it_comes(plant: Any) -> None:
    plant.simulated = False
    plant.advance = None  # nobody may call it
    rig = Rig(plant, [[0.05], [], [0.02, 0.04]]).run()
    # Two that have come when the loop looks are one command: the newest.
    assert [entry for entry in plant.log if entry != "started"] == [(1.0, 2.0), (3.0, 2.0)]
    assert [t.missed for t in rig.timings] == [0, 1, 0]


def test_a_fault_stops_the_robot_and_is_told_and_asked_again(plant: Any) -> None:
    plant.simulated = False
    plant.fault = "radio: no reply"
    rig = Rig(plant, [[0.01]]).run()
    assert rig.faults == ["radio: no reply"]
    assert plant.log.index("stop") < plant.log.index((1.0, 2.0))


def test_a_command_that_cannot_be_sent_is_a_fault(plant: Any) -> None:
    def refuse(action: np.ndarray) -> None:
        raise PlantFault("port gone")

    plant.simulated, plant.command = False, refuse
    rig = Rig(plant, [[0.01]]).run()
    assert rig.faults == ["port gone"]
    assert plant.log.count("stop") == 1


def test_a_real_robot_does_not_wait(plant: Any) -> None:
    plant.simulated = False
    with pytest.raises(UserError, match="lockstep: a real robot does not wait"):
        Rig(plant, [], lockstep=True)


def test_an_overrun_is_counted_and_not_caught_up() -> None:
    clock = Clock()
    pacer, interrupt = Pacer(0.1, clock), Interrupt(clock)
    ends = []
    for busy in (0.02, 0.35, 0.02, 0.02):
        clock.now += busy
        assert pacer.wait(interrupt)
        ends.append(clock.now)
    assert ends == pytest.approx([0.1, 0.45, 0.55, 0.65])
    assert pacer.overruns == 1


def test_computing_does_not_make_the_pace_drift() -> None:
    clock = Clock()
    pacer, interrupt = Pacer(0.1, clock), Interrupt(clock)
    for _ in range(100):
        clock.now += 0.037
        pacer.wait(interrupt)
    assert clock.now == pytest.approx(10.0)


@pytest.mark.parametrize("bad", [{"duration": -1.0}, {"startup_timeout": 0.0}])
def test_wrong_configurations_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        DriveConfig(**bad)


def test_when_a_twin_s_command_acted_is_told(plant: Any) -> None:
    rig = Rig(plant, [[0.03], [], [0.02, 0.06]], delay=0.05).run()
    assert [t.delay_s for t in rig.timings] == pytest.approx([0.08, np.nan, 0.11], nan_ok=True)


def test_in_lockstep_a_command_acts_at_once(plant: Any) -> None:
    rig = Rig(plant, [[0.03], [0.06]], lockstep=True).run()
    assert [t.delay_s for t in rig.timings] == [0.0, 0.0]


def test_a_delay_is_not_negative() -> None:
    with pytest.raises(ValueError, match="delay: expected 0 s or more"):
        DriveConfig(delay=-0.1)


@pytest.mark.parametrize("simulated", [True, False])
def test_once_halted_nothing_is_commanded_whatever_the_loop_still_does(
    plant: Any, simulated: bool
) -> None:
    plant.simulated = simulated
    rig = Rig(plant, [[0.02]] * 10, duration=1.0)
    publish = rig.loop._publish

    def interrupted(measurement: Any, previous: Any) -> None:
        if len(rig.observed) == 3:  # held up here, while another thread ends the node
            rig.loop.halt()
        publish(measurement, previous)

    rig.loop._publish = interrupted
    rig.loop.run(rig.stop)
    commands = [entry for entry in plant.log if isinstance(entry, tuple)]
    assert len(commands) == 3 and plant.action.tolist() == [0.0, 0.0]


STEP = float(SPEC.action_step[0])  # 37.7 rad/s
FAST = 52.5  # [rad/s]: more than a step from rest, within range


def given(rig: Rig) -> list[list[tuple[float, ...]]]:
    """Return what the plant was given in each period."""
    return [[command[1:] for command in timing.given] for timing in rig.timings]


@pytest.mark.parametrize("simulated", [True, False])
def test_after_its_own_stop_the_driver_nears_safetys_commands_step_by_step(
    plant: Any, simulated: bool
) -> None:
    plant.simulated = simulated
    rig = Rig(plant, [[0.01], [], [], [], [0.01], [0.01], [0.01]])
    sent = {0: [20.0, 20.0], 4: [FAST, 20.0], 5: [FAST, 9.0], 6: [1.0, FAST]}
    rig.command = lambda k: sent[k]
    rig.run()
    assert given(rig) == [
        [(20.0, 20.0)],
        [],
        [(0.0, 0.0)],  # the stop
        [],
        [(STEP, 20.0)],
        [(FAST, 9.0)],
        [(1.0, FAST)],  # caught up: the driver has no limit of its own
    ]
    assert [t.limited for t in rig.timings] == [0, 0, 0, 0, 1, 0, 0]
    assert plant.action.tolist() == [1.0, FAST]


def test_more_commands_in_a_period_take_the_plant_no_further(plant: Any) -> None:
    rig = Rig(plant, [[0.01], [], [], [], [0.01, 0.05, 0.09], []])
    rig.command = lambda k: [20.0, 20.0] if k == 0 else [FAST, 20.0]
    rig.run()
    assert given(rig)[4] == [(STEP, 20.0)] * 3


def test_commands_that_are_lost_on_the_way_up_give_no_leave_for_more(plant: Any) -> None:
    rig = Rig(plant, [[0.01], [], [], [], [0.09], [], [0.01]])
    rig.command = lambda k: [0.5, 0.5] if k == 0 else [FAST, 20.0]
    rig.run()
    assert given(rig)[4:] == [[(STEP, 20.0)], [], [(FAST, 20.0)]]


def test_the_stop_on_a_fault_is_the_drivers_own_too(plant: Any) -> None:
    plant.simulated = False
    rig = Rig(plant, [[0.01], [0.01], [0.01]])
    publish = rig.publish

    def publish_and_fail(measurement: Any, previous: Any) -> None:
        publish(measurement, previous)
        plant.fault = "radio: no reply" if len(rig.observed) == 1 else ""

    rig.loop._publish = publish_and_fail
    rig.command = lambda k: [20.0, 20.0] if k == 0 else [FAST, 20.0]
    rig.run()
    assert plant.log.index("stop") < plant.log.index((STEP, 20.0))
    assert [t.limited for t in rig.timings] == [0, 1, 0]


def test_a_plant_begins_at_rest_whatever_safety_sent_before(plant: Any) -> None:
    rig = Rig(plant, [[0.01], [0.01]], lockstep=True)
    rig.command = lambda k: [FAST, STEP]
    assert given(rig.run()) == [[(STEP, STEP)], [(FAST, STEP)]]
