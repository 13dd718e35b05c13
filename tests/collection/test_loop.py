"""The loop around a session: safety on every command, a record of every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ros_mbmrl.collection.loop import CollectLoop
from ros_mbmrl.collection.recorder import RunRecorder
from ros_mbmrl.collection.requests import Kind, Request
from ros_mbmrl.collection.session import Session, SessionConfig
from ros_mbmrl.data.from_recording import rollouts_from_recording
from ros_mbmrl.data.recording import read_messages
from ros_mbmrl.robots import make_robot
from ros_mbmrl.safety import fence

ROBOT = make_robot("hexapod")
TOP = ROBOT.spec.action_high
EPISODE, HALT, RESET = (Request(kind) for kind in (Kind.EPISODE, Kind.HALT, Kind.RESET))


class Silent:
    """Records nothing."""

    def measured(self, measurement: Any) -> None: ...
    def answered(self, *said: Any) -> None: ...
    def judged(self, *said: Any) -> None: ...
    def happened(self, event: Any) -> None: ...


class Room:
    """A loop around a walker."""

    def __init__(
        self,
        clock: Any,
        walker: Any,
        script: Any,
        wanted: Callable[[], Any],
        recorder: Any = None,
        **config: Any,
    ) -> None:
        self.walker, self.script, self.clock = walker, script, clock
        self.statuses: list[Any] = []
        self.events: list[Any] = []
        sources = {"keyboard": wanted, "random": wanted}
        self.session = Session(ROBOT, sources, SessionConfig(**{"source": "keyboard", **config}))
        self.loop = CollectLoop(
            ROBOT, walker, self.session, recorder or Silent(), script, clock, clock, self
        )

    def told(self, event: Any) -> None:
        self.events.append((event.kind, round(event.time, 6)))

    def shown(self, status: Any) -> None:
        self.statuses.append(status)

    def run(self, seconds: float) -> Any:
        return self.loop.run(lambda: True, seconds)


@pytest.fixture
def room(clock: Any, walker: Any, script: Any) -> Callable[..., Room]:
    """Makes one. asked: requests by step. wanted: what the source says."""

    def make(
        wanted: Callable[[], Any] = lambda: np.array([20.0, 20.0]),
        asked: Mapping[int, Sequence[Request]] | None = None,
        simulated: bool = True,
        **config: Any,
    ) -> Room:
        made = walker(simulated=simulated)
        return Room(clock, made, script(asked or {}), wanted, **config)

    return make


def test_a_run_is_recorded_with_what_was_really_sent(tmp_path: Path, room: Any) -> None:
    asked = {3: [EPISODE], 9: [EPISODE]}
    with RunRecorder(ROBOT.spec, tmp_path / "run.mcap") as recorder:
        made = room(lambda: np.array([500.0, 20.0]), asked, recorder=recorder)
        outcome = made.run(1.2)
    (rollout,) = rollouts_from_recording(tmp_path / "run.mcap")
    assert made.events == [("start", 0.2), ("stop", 0.7)]
    np.testing.assert_allclose(rollout.times, 0.2 + 0.1 * np.arange(6))
    np.testing.assert_allclose(rollout.actions, made.walker.sent[2:7], rtol=1e-6)
    assert rollout.actions[-1, 0] == pytest.approx(TOP[0])  # wanted 500, which is out of range
    assert outcome.steps == 12 and outcome.levels == {"HOLD": 2, "LIMITED": 10}  # starting


def test_a_twin_driven_by_hand_keeps_to_the_clock_and_by_chance_does_not(room: Any) -> None:
    by_hand, by_chance = room(), room(source="random", automatic=True)
    before = by_hand.clock.now
    by_hand.run(2.0)
    assert by_hand.clock.now - before == pytest.approx(2.0)
    before = by_chance.clock.now
    by_chance.run(2.0)
    assert by_chance.clock.now == before
    assert by_chance.session.episodes.running is None


def test_chance_that_waits_for_an_episode_does_not_race_ahead(room: Any) -> None:
    made = room(source="random")
    before = made.clock.now
    made.run(2.0)
    assert made.clock.now - before == pytest.approx(2.0)


def test_halt_stops_the_robot_within_the_period(room: Any) -> None:
    made = room(asked={1: [EPISODE]}, simulated=False)
    made.script.waits = {5: [HALT]}
    made.run(0.5)
    assert made.walker.stops == 1 and not made.walker.action.any()
    # The interval of which half was driven and half was not is no part of the episode.
    assert made.events == [("start", 0.0), ("stop", 0.4)]
    assert made.clock.now == pytest.approx(100.5)


def test_after_a_halt_the_robot_stays_at_rest(room: Any) -> None:
    made = room(lambda: np.array([50.0, 50.0]), asked={1: [EPISODE]}, simulated=False)
    made.script.waits = {8: [HALT]}
    made.run(1.2)
    sent = [action[0] for action in made.walker.sent]
    # Safety is told: it does not slow down from 50 rad/s a robot that rests.
    assert made.walker.stops == 1 and sent[7:] == [50.0, 0.0, 0.0, 0.0, 0.0]


def test_release_lets_the_robot_stand(room: Any) -> None:
    wants: list[Any] = [np.array([20.0, 20.0])] * 5 + [None] * 7
    made = room(lambda: wants.pop(0))
    made.run(1.2)
    assert [any(action) for action in made.walker.sent] == [False] * 2 + [True] * 3 + [False] * 7
    assert [status.level for status in made.statuses][-1] == "HOLD"


def test_a_robot_that_cannot_be_heard_stands_until_a_reset(tmp_path: Path, room: Any) -> None:
    asked = {1: [EPISODE], 12: [RESET, EPISODE]}
    with RunRecorder(ROBOT.spec, tmp_path / "run.mcap") as recorder:
        made = room(asked=asked, simulated=False, recorder=recorder)
        made.walker.faults = dict.fromkeys((5, 6), "no reply from the robot")
        outcome = made.run(2.0)
    assert made.events == [("start", 0.0), ("stop", 0.3), ("start", 1.1), ("stop", 1.9)]
    assert not any(any(action) for action in made.walker.sent[4:9])
    assert any(made.walker.sent[10])
    assert made.walker.stops == 2 and outcome.faults == 2
    told = list(read_messages(tmp_path / "run.mcap", ["/diagnostics"]))
    assert any("no reply" in pair.value for m in told for pair in m.message.status[0].values)


def test_a_command_that_does_not_get_through_ends_the_episode(room: Any) -> None:
    from ros_mbmrl.plants.base import PlantFault

    made = room(asked={1: [EPISODE]}, simulated=False)
    command = made.walker.command

    def failing(action: Any) -> None:
        if len(made.walker.sent) == 3:
            raise PlantFault("the radio is unplugged")
        command(action)

    made.walker.command = failing
    made.run(0.5)
    assert made.events == [("start", 0.0), ("stop", 0.3)]
    assert made.loop.stopped and "the radio is unplugged" in made.loop.reasons


def test_the_episode_that_is_running_ends_with_the_run(room: Any) -> None:
    made = room(asked={2: [EPISODE]})
    with pytest.raises(ZeroDivisionError):
        made.loop.run(lambda: len(made.walker.sent) < 6 or 1 / 0, 0.0)
    assert made.events == [("start", 0.1), ("stop", 0.5)]


WANTED = st.one_of(
    st.none(),
    st.lists(st.floats(-200, 200) | st.just(float("nan")), min_size=2, max_size=2).map(np.array),
)
ASKED = st.lists(st.sampled_from([Request(kind) for kind in Kind]), max_size=2)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    turns=st.lists(st.tuples(WANTED, ASKED, st.booleans()), min_size=1, max_size=80),
    yaw=st.floats(-3.1, 3.1),
)
def test_whatever_drives_what_is_sent_is_safe(turns: Any, yaw: float, room: Any) -> None:
    wanted = [want for want, _, _ in turns]
    asked = {k + 1: list(requests) for k, (_, requests, _) in enumerate(turns)}
    steps = len(turns)
    made = room(lambda: wanted[len(made.walker.sent) % steps], asked, simulated=False)
    made.walker.faults = {k + 1: "gone" for k, (_, _, lost) in enumerate(turns) if lost and k % 9}
    made.walker.pose[:] = 2.6, 0.0, yaw
    made.run(0.1 * steps)
    sent = np.array([np.zeros(2), *made.walker.sent])
    assert np.isfinite(sent).all() and (sent >= 0).all() and (sent <= TOP).all()
    change = np.diff(sent, axis=0)
    slow = (np.abs(change) <= ROBOT.spec.action_step + 1e-9).all(axis=1)
    assert (slow | (sent[1:] == 0).all(axis=1)).all()  # only braking may be sudden
    assert fence.inside(ROBOT.spec.envelope, *made.walker.pose[:2]) > 0
