"""The safety node by itself: its callbacks are called, its clock is moved, nothing is sent."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
from rclpy.parameter import Parameter

from ros_mbmrl.nodes.messages import (
    ERROR,
    OK,
    command_message,
    diagnostics,
    from_stamp,
    seconds,
    status,
    to_stamp,
)
from ros_mbmrl.nodes.safety import SafetyNode
from ros_mbmrl.nodes.sensors import SensorCodec
from ros_mbmrl.robots.hexapod import MEASUREMENT, SPEC
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.safety.rules import RULES
from ros_mbmrl.safety.types import Level

PERIOD = 100_000_000  # [ns]
WALK, REST = [5.0, 5.0], [0.0, 0.0]
NAMES = [quantity.name for quantity in MEASUREMENT]
OWNER = "hexapod"


def line(owner: str, name: str, values: dict[str, object], stamp: int = 0) -> Any:
    node, _, task = name.partition(": ")
    return diagnostics(stamp, status(node, task, owner, values, ERROR))


class Bench:
    """A safety node whose states, proposals and time come from the test."""

    def __init__(self, context: Any, outbox: Any, **parameters: Any) -> None:
        self.now, self.stamp, self.sent = 100.0, 5 * PERIOD, outbox.sent
        given = {"adaptation": False, **parameters}
        self.node = SafetyNode(
            lambda: self.now,
            context=context,
            namespace=f"/{OWNER}",
            parameter_overrides=[Parameter(name, value=value) for name, value in given.items()],
        )
        self._codec = SensorCodec(SPEC)
        self._measured = dict.fromkeys(NAMES, 0.0) | {"qw": 1.0, "battery": 4.0}

    def state(self, hum: float = 1e-3, **changed: float) -> None:
        """The state of the next period, some of its numbers changed for good.

        hum: by which all changes that never says the same twice.
        """
        self.stamp += PERIOD
        self._measured |= changed
        noise = hum * math.sin(7e-9 * self.stamp)
        values = np.array([self._measured[name] for name in NAMES])
        live = [NAMES.index(n) for n in NAMES if not n.startswith("q") and n != "battery"]
        values[live] += noise
        measurement = Measurement(seconds(self.stamp), values)
        for topic, message in self._codec.encode(measurement, None).items():
            self.node._on_sensor(topic, message)

    def propose(self, *values: float, stamp: int | None = None) -> None:
        action = np.array(values) if values else None
        message = command_message(SPEC, action, self.stamp if stamp is None else stamp)
        self.node._on_proposed(message)

    def step(self, hum: float = 1e-3, **changed: float) -> None:
        """One period: a state, and a proposal that answers it."""
        self.now += 0.1
        self.state(hum, **changed)
        self.propose(*WALK)

    def walking(self) -> Bench:
        for _ in range(4):
            self.step()
        assert self.safe == WALK
        return self

    def trigger(self, service: Callable[[Any, Any], Any]) -> tuple[bool, str]:
        answer = service(None, SimpleNamespace(success=None, message=""))
        return answer.success, answer.message

    @property
    def safe(self) -> list[float]:
        return list(self.sent["command/safe"][-1].velocity)

    @property
    def told(self) -> dict[str, str]:
        """The newest `safety: state`."""
        (newest,) = self.sent["/diagnostics"][-1].status
        return {pair.key: pair.value for pair in newest.values}

    @property
    def latched(self) -> list[str]:
        """The rules that have latched, once that was told on every way."""
        if not self.sent["safety/state"][-1].data:
            return []
        (newest,) = self.sent["/diagnostics"][-1].status
        assert newest.level == ERROR and newest.message == self.told["level"] == "LATCHED"
        assert self.safe == REST
        reasons = self.node._monitor.stop_reason.split("; ")
        return [reason.partition(":")[0] for reason in reasons]


@pytest.fixture
def make(context: Any, outbox: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("ros_mbmrl.nodes.safety.advertise", outbox.advertise)
    made: list[Bench] = []

    def bench(**parameters: Any) -> Bench:
        made.append(Bench(context, outbox, **parameters))
        return made[-1]

    yield bench
    for each in made:
        each.node.destroy_node()


def silence(bench: Bench) -> None:
    bench.now += 4.1 * SPEC.envelope.state_timeout
    bench.node._on_timer()


def foreign_command(bench: Bench) -> None:
    bench.node._on_heard(command_message(SPEC, np.array([5.0, 6.0]), bench.stamp))


def many(count: int, **changed: float) -> Callable[[Bench], None]:
    def steps(bench: Bench) -> None:
        for _ in range(count):
            bench.step(**changed)

    return steps


def jumps(bench: Bench) -> None:
    for x in (1.0, 0.0, 1.0, 0.0, 1.0):
        bench.step(x=x)


def walk_out(bench: Bench) -> None:
    for x in np.arange(0.0, 3.3, 0.2):
        bench.step(x=float(x))


def stop(bench: Bench) -> None:
    assert bench.trigger(bench.node._on_stop) == (True, "stopped until safety/reset")


def plant_fault(bench: Bench) -> None:
    bench.node._on_diagnostics(line(OWNER, "driver: plant", {"fault": "radio silent"}))


LATCHING: dict[str, Callable[[Bench], None]] = {
    "stop_requested": stop,
    "tip_over": many(2, qw=math.cos(0.7), qx=math.sin(0.7)),
    "outside": walk_out,
    "state_limits": many(1, gyro_z=9.0),
    "plant_fault": plant_fault,
    "second_publisher": foreign_command,
    "lost_state": silence,
    "bad_state_persists": many(12, x=math.nan),
    "frozen_state_persists": many(9, hum=0.0),
    "state_jumps": jumps,
    "battery_empty": many(22, battery=3.0),
}


def test_every_latching_rule_is_tried() -> None:
    assert {rule.name for rule in RULES if rule.level is Level.LATCHED} == set(LATCHING)


@pytest.mark.parametrize("rule", LATCHING)
def test_a_rule_latches_and_that_is_told_on_every_way(make: Any, rule: str) -> None:
    bench = make(**{"limits.gyro_z": [-8.0, 8.0]} if rule == "state_limits" else {}).walking()
    assert bench.latched == [] and [m.data for m in bench.sent["safety/state"]] == [False]
    LATCHING[rule](bench)
    assert bench.latched[:1] == [rule]
    commands = len(bench.sent["command/safe"])
    bench.step()
    assert bench.safe == REST and len(bench.sent["command/safe"]) == commands + 1
    assert [m.data for m in bench.sent["safety/state"]] == [False, True]  # told once


PEERS: dict[str, Callable[[Bench], None]] = {
    "the driver heard a command that is not safety's": foreign_command,
    "a command was proposed that is not the controller's": lambda bench: bench.node._on_diagnostics(
        line(OWNER, "controller: echo", {"foreign": 1})
    ),
    "stamps of the state jumped ahead by 10.0 s": lambda bench: (
        setattr(bench, "stamp", bench.stamp + 100 * PERIOD) or bench.step()  # type: ignore
    ),
}


@pytest.mark.parametrize("what", PEERS)
def test_a_second_publisher_latches_until_it_was_quiet_for_a_while(make: Any, what: str) -> None:
    bench = make().walking()
    PEERS[what](bench)
    assert bench.latched == ["second_publisher"] and what in bench.told["reasons"]
    ok, why = bench.trigger(bench.node._on_reset)
    assert not ok and what in why
    many(6)(bench)
    assert bench.trigger(bench.node._on_reset) == (True, "reset: second_publisher")
    assert [m.data for m in bench.sent["safety/state"]] == [False, True, False]
    bench.walking()


@pytest.mark.parametrize(
    "topic",
    [
        *("command/proposed", "command/proposed/heard", "command/safe", "command/heard"),
        *("adaptation", "odom", "battery"),
    ],
)
def test_topics_that_only_one_node_may_publish(make: Any, topic: str) -> None:
    bench = make().walking()
    bench.node.count_publishers = lambda name: 1 + (name == f"/{OWNER}/{topic}")
    bench.node._peers.look()  # as a timer does
    bench.step()
    assert bench.latched == ["second_publisher"]
    assert f"{topic} has 2 publishers" in bench.told["reasons"]


def test_a_command_heard_as_it_was_sent_is_nothing(make: Any) -> None:
    bench = make().walking()
    for command in bench.sent["command/safe"]:
        bench.node._on_heard(command)
    assert bench.told["foreign"] == "0" and bench.latched == []


def test_a_robot_whose_driver_has_not_heard_the_command_is_not_frozen(make: Any) -> None:
    bench = make().walking()
    for _ in range(6):
        bench.node._inputs.take_heard(np.zeros(2))
        bench.step(hum=0.0)
        assert bench.safe == WALK
    bench.node._on_heard(bench.sent["command/safe"][-1])
    for _ in range(3):
        bench.step(hum=0.0)
    assert bench.safe == REST and "frozen_state" in bench.told["reasons"]


def test_the_first_changed_command_stops_at_once(make: Any) -> None:
    """The last command under the stamp of the next: what froze it shows at the first message."""
    bench = make().walking()
    before = bench.sent["command/safe"][-1]
    bench.now += 0.1
    bench.state()
    bench.propose(6.0, 6.0)
    frozen = command_message(SPEC, np.array(before.velocity), bench.stamp)
    bench.node._on_heard(frozen)
    assert bench.latched == ["second_publisher"] and bench.told["foreign"] == "1"
    assert from_stamp(bench.sent["command/safe"][-1].header.stamp) == bench.stamp


def test_each_answer_may_be_changed_too_and_is_not_answered(make: Any) -> None:
    """Otherwise safety and the driver would answer each other as fast as messages travel."""
    bench = make().walking()
    foreign_command(bench)
    count = len(bench.sent["command/safe"])
    for _ in range(3):
        foreign_command(bench)
    assert len(bench.sent["command/safe"]) == count
    bench.step()
    assert len(bench.sent["command/safe"]) == count + 1 and bench.told["foreign"] == "4"


def test_a_plant_that_is_well_again_can_be_let_go(make: Any) -> None:
    bench = make().walking()
    plant_fault(bench)
    ok, why = bench.trigger(bench.node._on_reset)
    assert not ok and "radio silent" in why
    bench.node._on_diagnostics(line(OWNER, "driver: plant", {"fault": ""}))
    bench.step()
    assert bench.trigger(bench.node._on_reset)[0]
    bench.walking()


def test_a_proposal_waits_for_the_state_that_it_answers(make: Any) -> None:
    bench = make().walking()
    answered = len(bench.sent["command/safe"])
    bench.propose(6.0, 5.0, stamp=bench.stamp + PERIOD)
    assert len(bench.sent["command/safe"]) == answered
    bench.now += 0.1
    bench.state()
    assert bench.safe == [6.0, 5.0]
    assert from_stamp(bench.sent["command/safe"][-1].header.stamp) == bench.stamp


def test_the_first_answer_waits_for_those_who_must_hear_it(make: Any) -> None:
    bench = make(await_nodes="driver,recorder")
    there = ["driver"]
    bench.node.get_subscriptions_info_by_topic = lambda topic: [
        SimpleNamespace(node_name=name) for name in there
    ]
    bench.step()
    bench.step()
    assert bench.sent["command/safe"] == []
    there.append("recorder")
    bench.state()
    assert len(bench.sent["command/safe"]) == 1
    there.clear()  # only the first one waits
    bench.step()
    assert len(bench.sent["command/safe"]) == 2


def test_nobody_is_waited_for_for_ever(make: Any) -> None:
    bench = make(await_nodes="recorder")
    for _ in range(99):
        bench.step()
    assert bench.sent["command/safe"] == []
    for _ in range(3):
        bench.step()
    assert bench.sent["command/safe"] != []


def test_before_the_first_proposal_nothing_is_commanded(make: Any) -> None:
    bench = make()
    bench.state()
    bench.now += 10.0
    bench.node._on_timer()
    assert bench.sent["command/safe"] == []


@pytest.mark.parametrize(
    ("spoil", "level", "reason"),
    [
        (lambda m: setattr(m, "name", ["a", "b"]), "HOLD", "bad_command"),
        (lambda m: setattr(m, "velocity", m.velocity[:1]), "HOLD", "bad_command"),
        (lambda m: setattr(m, "velocity", [math.nan, 1.0]), "HOLD", "bad_command"),
        (lambda m: setattr(m, "velocity", [1e9, 1.0]), "HOLD", "bad_command"),
        (lambda m: setattr(m, "name", []), "HOLD", "planner_failed"),
        (lambda m: setattr(m, "velocity", [100.0, 5.0]), "LIMITED", "command_range"),
    ],
)
def test_what_is_proposed_is_sent_back_as_it_came_and_judged(
    make: Any, spoil: Callable[[Any], None], level: str, reason: str
) -> None:
    bench = make().walking()
    bench.now += 0.1
    bench.state()
    message = command_message(SPEC, np.array(WALK), bench.stamp)
    spoil(message)
    bench.node._on_proposed(message)
    assert bench.sent["command/proposed/heard"][-1] is message
    assert bench.told["level"] == level and reason in bench.told["reasons"]
    assert (bench.safe == REST) == (level == "HOLD")
    assert bench.latched == []
    bench.step()
    assert bench.told["level"] in ("RUN", "LIMITED") and bench.safe != REST


def test_a_silent_controller_is_a_rest_that_passes(make: Any) -> None:
    bench = make().walking()
    timeout = SPEC.envelope.command_timeout
    bench.now += 0.1
    bench.state()
    bench.now += timeout - 0.1 - 1e-3
    bench.node._on_timer()
    assert bench.safe == WALK
    bench.state()
    bench.now += 2e-3
    bench.node._on_timer()
    assert bench.safe == REST and "stale_command" in bench.told["reasons"]
    assert bench.told["level"] == "HOLD" and bench.latched == []
    bench.step()
    assert bench.safe == WALK


def test_a_late_state_is_a_rest(make: Any) -> None:
    bench = make().walking()
    bench.now += 0.77 * SPEC.envelope.state_timeout - 1e-3
    bench.node._on_timer()
    assert bench.safe == WALK
    bench.now += 2e-3
    bench.node._on_timer()
    assert bench.safe == REST and "late_state" in bench.told["reasons"]


def test_messages_out_of_turn_are_counted(make: Any) -> None:
    bench = make().walking()
    assert (bench.told["repeated"], bench.told["disordered"]) == ("0", "0")
    bench.propose(*WALK)
    bench.propose(*WALK, stamp=bench.stamp - PERIOD)
    bench.step()
    assert (bench.told["repeated"], bench.told["disordered"]) == ("1", "1")


def test_a_model_that_nobody_speaks_of_any_more_is_not_trusted(make: Any) -> None:
    bench = make().walking()
    message = line(OWNER, "dynamics: adaptation", {"error_after": 1.0})
    bench.node._on_adaptation(message)
    many(4)(bench)
    assert bench.told["reasons"] == ""
    many(7)(bench)
    assert "model_error" in bench.told["reasons"] and bench.told["level"] == "LIMITED"


def test_in_lockstep_a_proposal_waits_for_the_model_error_of_its_state(make: Any) -> None:
    bench = make(lockstep=True, adaptation=True)
    bench.step()
    assert bench.sent["command/safe"] == []
    message = line(OWNER, "dynamics: adaptation", {"error_after": 1.0}, stamp=bench.stamp)
    bench.node._on_adaptation(message)
    assert len(bench.sent["command/safe"]) == 1


def test_in_lockstep_the_same_question_has_the_same_answer(make: Any) -> None:
    bench = make(lockstep=True)
    many(4)(bench)
    count = len(bench.sent["/diagnostics"])
    bench.propose(9.0, 9.0)
    first, again = bench.sent["command/safe"][-2:]
    assert again is first and len(bench.sent["/diagnostics"]) == count
    assert list(bench.node.timers) == []  # nor does time pass by itself


def test_the_newest_answer_carries_the_stamp_of_its_state(make: Any) -> None:
    bench = make().walking()
    stop(bench)
    newest = bench.sent["command/safe"][-1]
    assert newest.header.stamp == to_stamp(bench.stamp)
    assert newest.name == ["left_legs", "right_legs"]
    (told,) = bench.sent["/diagnostics"][0].status
    assert told.name == f"{OWNER}/safety: state" and told.hardware_id == OWNER
    assert OK < told.level < ERROR  # not yet sure of the state


# Each of these latches a stop or is reckoned with, if it is believed.
LINES: dict[str, dict[str, object]] = {
    "driver: plant": {"fault": "the battery is on fire"},
    "controller: echo": {"foreign": 3},
    "dynamics: adaptation": {"error_after": 1e9},
}


def test_a_neighbours_word_counts_for_nothing(make: Any) -> None:
    bench = make().walking()
    for owner in ("half_cheetah", "", "lab/hexapod"):
        for name, values in LINES.items():
            bench.node._on_diagnostics(line(owner, name, values, stamp=bench.stamp))
            bench.node._on_adaptation(line(owner, name, values, stamp=bench.stamp))
    many(6)(bench)
    assert bench.safe == WALK and bench.told["level"] == "RUN"
    plant_fault(bench)
    bench.node._on_diagnostics(line("half_cheetah", "driver: plant", {"fault": ""}))  # it is well
    bench.step()
    assert not bench.trigger(bench.node._on_reset)[0]


class Log:
    """A logger that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def error(self, text: str, **_: Any) -> None:
        self.lines.append(("error", text))

    def warning(self, text: str, **_: Any) -> None:
        self.lines.append(("warning", text))

    def info(self, text: str, **_: Any) -> None:
        self.lines.append(("info", text))


def test_a_latched_stop_and_its_reset_are_told(make: Any, monkeypatch: Any) -> None:
    bench, log = make().walking(), Log()
    monkeypatch.setattr(bench.node, "get_logger", lambda: log)
    stop(bench)
    many(5)(bench)  # told once, not in every period
    assert log.lines == [
        ("error", "LATCHED until safety/reset: stop_requested: service safety/stop")
    ]
    assert bench.trigger(bench.node._on_reset)[0]
    assert log.lines[1:] == [("info", "the latched stop has been reset")]
    plant_fault(bench.walking())
    assert not bench.trigger(bench.node._on_reset)[0]
    kind, text = log.lines[-1]
    assert kind == "warning" and text.startswith("safety/reset refused: plant_fault")


def limit(bench: Bench, name: str, value: Any) -> tuple[bool, str]:
    (result,) = bench.node.set_parameters([Parameter(f"limits.{name}", value=value)])
    return result.successful, result.reason


def test_a_narrower_limit_acts_on_the_next_command_and_is_told(make: Any) -> None:
    bench = make().walking()
    assert limit(bench, "left_legs", [0.0, 2.0]) == (True, "")
    told = bench.sent["/diagnostics"][-1]
    assert (
        told.status[0].name == "hexapod/safety: limits"
        and from_stamp(told.header.stamp) == bench.stamp
    )
    assert [(v.key, v.value) for v in told.status[0].values] == [("limits.left_legs", "[0.0, 2.0]")]
    bench.step()
    assert bench.safe == [2.0, 5.0] and bench.told["level"] == "LIMITED"
    assert list(bench.node.get_parameter("limits.left_legs").value) == [0.0, 2.0]
    assert limit(bench, "left_legs", [0, 56])[0]
    bench.step()
    assert bench.safe == WALK


def test_a_wider_limit_is_refused_and_nothing_changes(make: Any) -> None:
    bench = make(**{"limits.left_legs": [0, 20]}).walking()
    assert limit(bench, "left_legs", [0.0, 2.0])[0]
    refused, why = limit(bench, "left_legs", [0.0, 21.0])
    assert not refused and "left_legs: expected a range within 0 to 20, got 0 to 21" in why
    for wrong in ([0.0, math.nan], [0.0, math.inf], [2.0, 1.0], [1.0, 2.0], [0.0], 3.0, "wide"):
        assert not limit(bench, "left_legs", wrong)[0]
    bench.step()
    assert bench.safe == [2.0, 5.0]
    assert list(bench.node.get_parameter("limits.left_legs").value) == [0.0, 2.0]


def test_an_arena_narrowed_away_from_under_the_robot_stops_it(make: Any) -> None:
    bench = make().walking()
    assert limit(bench, "arena_x", [0.5, 2.5])[0]
    bench.step()
    assert bench.latched == ["outside"]


def test_in_lockstep_no_limit_is_set(make: Any) -> None:
    bench = make(lockstep=True)
    refused, why = limit(bench, "left_legs", [0.0, 2.0])
    assert not refused and why.startswith("in lockstep nothing is set")


def test_every_other_parameter_is_read_only(make: Any) -> None:
    node = make(**{"monitor.jumps": 4}).node
    for name in ("robot", "lockstep", "check_period", "monitor.jumps", "await_nodes"):
        assert node.describe_parameter(name).read_only
    names = {name.removeprefix("limits.") for name in node.list_parameters(["limits"], 0).names}
    assert {"left_legs", "right_legs", "arena_x", "arena_y", "vz"} <= names
