"""The driver node by itself: its callbacks are called, its clock is moved, nothing is sent."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from std_msgs.msg import Bool

from ros_mbmrl.bringup import AT_REST, FIRST_COMMAND
from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.nodes.driver import DriverNode
from ros_mbmrl.nodes.messages import ERROR, OK, command_message, from_stamp
from ros_mbmrl.nodes.process import Ending
from ros_mbmrl.plants.base import PlantFault
from ros_mbmrl.robots.hexapod import SPEC

DONE = TransitionCallbackReturn.SUCCESS
WALK, REST = (5.0, 5.0), (0.0, 0.0)


class Interrupt(threading.Event):
    """An event whose waiting moves the clock instead."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench

    def wait(self, timeout: float | None = None) -> bool:
        self._bench.now += timeout or 0.0
        return self.is_set()


class Bench:
    """A driver around a plant without physics; commands come from the test.

    answers: command by number of the observation, given as soon as that is published.
    """

    def __init__(self, context: Any, outbox: Any, plant: Any, **parameters: Any) -> None:
        self.now, self.plant, self.sent, self.ending = 50.0, plant, outbox.sent, Ending()
        self.answers: dict[int, Sequence[float]] = {}
        given = {"autostart": False, **parameters}
        self.node = DriverNode(
            self.ending,
            lambda *_: plant,
            lambda: self.now,
            context=context,
            parameter_overrides=[Parameter(name, value=value) for name, value in given.items()],
        )
        self.last = list(self.node._codec.topics)[-1]
        outbox.hooks[self.last] = self._answer

    def command(self, *values: float, stamp: int) -> None:
        self.node._on_command(command_message(SPEC, np.array(values), stamp))

    def run(self, steps: int) -> None:
        """Let the loop run in this thread for so many observations, without its waiting."""
        self.node._stop = stop = Interrupt(self)
        self.node._plant, count = self.plant, len(self.sent[self.last])

        def answer(message: Any) -> None:
            if len(self.sent[self.last]) - count > steps:
                stop.set()
            self._answer(message)

        self.sent_hooks(answer)
        self.node._loop()

    def sent_hooks(self, answer: Callable[[Any], None]) -> None:
        self.node._sensors[self.last].publish = lambda message: (
            self.sent[self.last].append(message),
            answer(message),
        )

    def _answer(self, message: Any) -> None:
        values = self.answers.get(len(self.sent[self.last]) - 1)
        if values is not None:
            self.command(*values, stamp=from_stamp(message.header.stamp))

    def told(self, task: str = "driver: timing") -> list[dict[str, str]]:
        lines = [
            line
            for m in self.sent["/diagnostics"]
            for line in m.status
            if line.name == f"hexapod/{task}"
        ]
        return [{pair.key: pair.value for pair in line.values} for line in lines]

    @property
    def commands(self) -> list[tuple[float, ...]]:
        return [entry for entry in self.plant.log if isinstance(entry, tuple)]


@pytest.fixture
def make(context: Any, outbox: Any, plant: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("ros_mbmrl.nodes.driver.advertise", outbox.advertise)
    made: list[Bench] = []

    def bench(**parameters: Any) -> Bench:
        made.append(Bench(context, outbox, plant, **parameters))
        return made[-1]

    yield bench
    for each in made:
        each.node.close()
        each.node.destroy_node()


def every(*values: float) -> dict[int, Sequence[float]]:
    return dict.fromkeys(range(100), values)


def test_a_command_is_taken_at_once_and_sent_back_as_it_came(make: Any) -> None:
    bench = make()
    bench.node._inbox.open(7)
    bench.now += 0.03
    message = command_message(SPEC, np.array(WALK), 7)
    bench.node._on_command(message)
    (arrival,) = bench.node._inbox.close()
    assert arrival.offset == pytest.approx(0.03) and tuple(arrival.action) == WALK
    assert bench.sent["command/heard"] == [message]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda m: setattr(m, "name", ["a", "b"]),
        lambda m: setattr(m, "name", []),
        lambda m: setattr(m, "velocity", m.velocity[:1]),
        lambda m: setattr(m, "velocity", [math.nan, 1.0]),
        lambda m: setattr(m, "velocity", [1.0, math.inf]),
        lambda m: setattr(m, "velocity", [-1e-6, 1.0]),
        lambda m: setattr(m, "velocity", [float(SPEC.action_high[0]) + 1e-6, 1.0]),
        lambda m: setattr(m.header.stamp, "nanosec", 8),  # for another observation
    ],
)
def test_what_must_not_act_is_turned_away_and_still_sent_back(
    make: Any, spoil: Callable[[Any], None]
) -> None:
    bench = make()
    bench.node._inbox.open(7)
    message = command_message(SPEC, np.array(WALK), 7)
    spoil(message)
    bench.node._on_command(message)
    assert bench.node._inbox.close() == [] and bench.node._inbox.rejected == 1
    assert bench.sent["command/heard"] == [message]


def test_a_stop_acts_at_once_and_lets_only_rest_through(make: Any) -> None:
    bench = make()
    inbox = bench.node._inbox

    def taken() -> list[tuple[float, ...]]:
        return [tuple(arrival.action) for arrival in inbox.close()]

    inbox.open(1)
    bench.command(*WALK, stamp=1)
    bench.node._on_stop_state(Bool(data=True))
    bench.command(*WALK, stamp=1)
    assert taken() == [WALK, REST]
    inbox.open(2)
    bench.command(*WALK, stamp=2)
    bench.command(*REST, stamp=2)
    assert taken() == [REST] and inbox.rejected == 2
    bench.node._on_stop_state(Bool(data=False))
    inbox.open(3)
    bench.command(*WALK, stamp=3)
    assert taken() == [WALK]


def test_in_lockstep_each_observation_is_answered_and_told(make: Any, capsys: Any) -> None:
    bench = make(lockstep=True, duration=0.5, run="seven")
    bench.answers = every(*WALK)
    bench.run(100)
    assert bench.commands == [WALK] * 5 and bench.plant.log[-1] == "stop"
    assert (bench.ending.status, bench.ending.event.is_set()) == (0, True)
    said = capsys.readouterr().out
    assert said.count(FIRST_COMMAND) == 1 and "0.5 s of control are over" in said
    stamps = [from_stamp(message.clock) for message in bench.sent["/clock"]]
    assert stamps == [k * 100_000_000 for k in range(5)]
    for topic in bench.node._codec.topics:
        assert [from_stamp(m.header.stamp) for m in bench.sent[topic]] == stamps
    timings = bench.told()
    assert [each["missed"] for each in timings] == ["0"] * 5
    assert {each["commanded"] for each in timings} == {repr(WALK)}
    assert {each["run"] for each in timings} == {"seven"}
    assert [from_stamp(m.header.stamp) for m in bench.sent["/diagnostics"] if m.status] == [
        stamp
        for stamp in stamps
        for _ in range(2)  # of the plant and of the period
    ]


def test_the_run_is_named_from_the_first_command_on(make: Any) -> None:
    bench = make(run="seven")
    bench.answers = {2: WALK}
    bench.run(4)
    assert ["run" in each for each in bench.told()] == [False, False, True, True]


def test_a_plant_that_hears_nothing_any_more_is_stopped_once(make: Any) -> None:
    bench = make()
    bench.answers = {0: WALK, 1: WALK, 6: WALK}
    bench.run(7)
    # Of the second command: it acts for the time-out and no longer.
    assert bench.plant.log == [WALK, WALK, "stop", WALK]
    timings = bench.told()
    assert [each["timeouts"] for each in timings] == ["0", "0", "1", "1", "1", "1", "1"]
    rested = float(timings[3]["rested_at"])
    assert rested == pytest.approx(50.1 + SPEC.envelope.command_timeout)
    assert timings[5]["commanded"] == repr(REST) and timings[6]["rested_at"] == "nan"


def test_a_start_without_commands_ends_the_run(make: Any) -> None:
    bench = make(startup_timeout=1.0)
    with pytest.raises(RunError, match="no command within 1 s of the start"):
        bench.run(100)


def test_the_first_observation_waits_for_those_who_must_listen(make: Any) -> None:
    bench = make(await_nodes="safety,recorder", startup_timeout=1.0)
    there: list[str] = []
    bench.node.get_subscriptions_info_by_topic = lambda topic: [
        SimpleNamespace(node_name=name) for name in there
    ]
    there.append("safety")
    with pytest.raises(RunError, match="not there in 1 s: recorder"):
        bench.run(1)
    assert bench.sent["odom"] == []
    there.append("recorder")
    bench.run(1)
    assert bench.sent["odom"] != []


@pytest.mark.parametrize("topic", ["/odom", "/command/safe"])
def test_topics_of_another_graph_are_refused(make: Any, topic: str) -> None:
    bench = make()
    bench.node.count_publishers = lambda name: 1 + (name == topic)
    with pytest.raises(RunError, match=f"driver: {topic} has more than one publisher"):
        bench.run(1)
    assert bench.plant.log == []


def test_configured_the_plant_is_there_at_rest(make: Any, capsys: Any) -> None:
    bench = make()
    assert bench.node._plant is None
    assert bench.node.trigger_configure() == DONE
    assert bench.node._plant is bench.plant and bench.plant.log == []
    assert bench.node.trigger_cleanup() == DONE
    assert bench.plant.log == ["stop", "stop", "closed"] and bench.node._plant is None
    assert f"{AT_REST} 50.0000" in capsys.readouterr().out


WAYS_OUT: dict[str, Callable[[Bench], object]] = {
    "deactivated": lambda bench: bench.node.trigger_deactivate(),
    "shut down": lambda bench: bench.node.trigger_shutdown(),
    "closed": lambda bench: bench.node.close(),
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_every_way_out_stops_the_robot(make: Any, until: Any, way: str, capsys: Any) -> None:
    bench = make(lockstep=True)
    bench.answers = {k: WALK for k in range(3)}
    assert bench.node.trigger_configure() == bench.node.trigger_activate() == DONE
    until(lambda: len(bench.commands) == 3 and len(bench.sent[bench.last]) == 4)
    WAYS_OUT[way](bench)
    assert bench.plant.log[3] == "stop" and (bench.plant.action == 0.0).all()
    assert f"{AT_REST} 50.0000" in capsys.readouterr().out
    assert ("closed" in bench.plant.log) == (way != "deactivated")
    count = len(bench.commands)
    bench.command(*WALK, stamp=from_stamp(bench.sent[bench.last][-1].header.stamp))
    assert len(bench.commands) == count and bench.node._thread is None
    bench.node.close()  # may be called again
    assert bench.plant.log.count("closed") == 1


def test_a_loop_that_fails_ends_the_process_with_the_robot_at_rest(make: Any, until: Any) -> None:
    bench = make(lockstep=True)
    bench.answers = {0: WALK}

    def advance(duration: float) -> None:
        raise RunError("the physics diverge")

    bench.plant.advance = advance
    bench.node.trigger_configure()
    bench.node.trigger_activate()
    until(bench.ending.event.is_set)
    assert bench.ending.status == 1
    bench.node.close()  # as the process does at its end
    assert bench.plant.log == [WALK, "stop", "stop", "closed"]


def test_activated_again_it_drives_again(make: Any, until: Any) -> None:
    bench = make(lockstep=True)
    bench.answers = {0: WALK}
    bench.node.trigger_configure()
    bench.node.trigger_activate()
    until(lambda: bench.commands == [WALK])
    assert bench.node.trigger_deactivate() == DONE
    bench.answers = every(*WALK)
    assert bench.node.trigger_activate() == DONE
    until(lambda: len(bench.commands) > 3)


def test_started_by_itself_the_plant_is_opened_at_once(make: Any, until: Any) -> None:
    bench = make(autostart=True, lockstep=True)
    until(lambda: bench.sent["odom"] != [])


def test_a_faulty_plant_is_stopped_and_that_is_told(make: Any) -> None:
    bench = make(startup_timeout=60.0)
    bench.answers = every(*WALK)
    observe, count = bench.plant.observe, [0]

    def faulty() -> Any:
        count[0] += 1
        if count[0] == 2:
            raise PlantFault("radio silent")
        return observe()

    bench.plant.observe = faulty
    bench.run(2)
    assert bench.plant.log[:2] == [WALK, "stop"]
    assert [each["fault"] for each in bench.told("driver: plant")] == ["", "radio silent", "", ""]
    lines = [m.status[0] for m in bench.sent["/diagnostics"] if "plant" in m.status[0].name]
    assert [line.level for line in lines] == [OK, ERROR, OK, OK]
    assert {line.hardware_id for line in lines} == {"hexapod"}
    assert bench.told("driver: plant")[1]["frames"] == "7"  # what the plant counts


def test_diagnostics_before_the_first_observation_are_on_the_robots_clock(make: Any) -> None:
    """A real robot's stamps are the time of day: what is told of it is never stamped 0."""
    bench = make()
    bench.node.trigger_configure()
    bench.node._tell_fault("")
    bench.node._tell_fault("radio silent")
    bench.plant.simulated = False
    before = time.time()
    bench.node._tell_fault("radio silent")
    stamps = [from_stamp(message.header.stamp) for message in bench.sent["/diagnostics"]]
    assert stamps[:2] == [0, 0]  # a twin's clock, which stands still
    assert before - 1 <= stamps[2] / 1e9 <= time.time() + 1


def test_what_latches_in_the_plant_is_let_go_by_rearming(make: Any) -> None:
    bench = make()

    def rearm() -> tuple[bool, str]:
        answer = bench.node._on_rearm(None, SimpleNamespace(success=None, message=""))
        return answer.success, answer.message

    bench.node.trigger_configure()
    bench.plant.fault = "run-stop"
    assert rearm() == (False, "refused: run-stop")
    bench.plant.fault = ""
    assert rearm() == (True, "armed: safety/reset lets it go again")
    assert bench.plant.log == ["armed"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"startup_timeout": 0.0}, "driver: startup_timeout: expected above 0 s, got 0.0"),
        ({"delay": -0.1}, "driver: delay: expected 0 s or more, got -0.1"),
    ],
)
def test_parameters_are_checked(make: Any, parameters: dict[str, Any], expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        make(**parameters)
