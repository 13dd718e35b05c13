"""Who drives, and what is kept: sequences counted by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ros_mbmrl.collection.requests import Kind, Request
from ros_mbmrl.collection.session import Session, SessionConfig, Turn
from ros_mbmrl.robots import make_robot

ROBOT = make_robot("hexapod")
STAND = [0.0, 0.0]
DRIVE = np.array([10.0, 20.0])
CHANCE = np.array([30.0, 30.0])


class Bench:
    """A session whose keyboard is a variable; every step is a period."""

    def __init__(self, permit: Callable[[], bool] = lambda: True, **config: Any) -> None:
        self.hand: np.ndarray | None = None
        sources = {"keyboard": lambda: self.hand, "random": lambda: CHANCE.copy()}
        self.session = Session(
            ROBOT, sources, SessionConfig(**{"source": "keyboard", **config}), permit
        )
        self.time = 0.0
        self.events: list[tuple[str, int, str, float]] = []

    def ask(self, kind: Kind, which: int = 0) -> None:
        self._note(self.session.request(Request(kind, which)))

    def step(self, x: float = 0.0, y: float = 0.0, yaw: float = 0.0, stopped: bool = False) -> Turn:
        turn = self.session.step(self.time, at(x, y, yaw), stopped)
        self._note(turn.events)
        self.time = round(self.time + 0.1, 9)
        return turn

    def steps(self, count: int, **pose: Any) -> list[list[float] | None]:
        turns = [self.step(**pose) for _ in range(count)]
        return [None if turn.action is None else list(turn.action) for turn in turns]

    def kept(self) -> dict[str, tuple[int, float]]:
        tallies = self.session.episodes.tallies.items()
        return {name: (tally.episodes, round(tally.seconds, 6)) for name, tally in tallies}

    def _note(self, events: Any) -> None:
        self.events += [(e.kind, e.index, e.terrain, e.time) for e in events]


def at(x: float, y: float = 0.0, yaw: float = 0.0) -> np.ndarray:
    state = np.zeros(24)
    state[0], state[1], state[10], state[11] = x, y, math.cos(yaw), math.sin(yaw)
    state[6] = state[8] = 1.0
    state[23] = 3.9
    return state


def test_one_stand_still_on_release_and_then_silence() -> None:
    bench = Bench()
    assert bench.steps(3) == [STAND, None, None]  # the first says that somebody is there
    bench.hand = DRIVE
    assert bench.steps(2) == [[10.0, 20.0]] * 2
    bench.hand = None
    assert bench.steps(3) == [STAND, None, None]


def test_an_episode_lasts_from_the_state_it_starts_at_to_the_newest_when_it_is_stopped() -> None:
    bench = Bench(terrains=("carpet", "turf"))
    bench.steps(2)  # states at 0, 0.1 s
    bench.ask(Kind.EPISODE)
    bench.steps(5)  # 0.2 to 0.6 s
    bench.ask(Kind.EPISODE)
    assert bench.events == [("start", 1, "carpet", 0.2), ("stop", 1, "carpet", 0.6)]
    assert bench.kept() == {"carpet": (1, 0.4)}


def test_an_episode_ends_by_itself_at_its_length_and_the_next_waits_to_be_asked_for() -> None:
    bench = Bench(episode_seconds=0.3)
    bench.ask(Kind.EPISODE)
    bench.steps(8)
    assert bench.events == [("start", 1, "unknown", 0.0), ("stop", 1, "unknown", 0.3)]


def test_automatic_episodes_follow_one_another_until_one_is_stopped_by_hand() -> None:
    bench = Bench(episode_seconds=0.2, automatic=True, source="random")
    bench.steps(4)  # 0 to 0.3 s
    bench.ask(Kind.EPISODE)
    actions = bench.steps(3)
    assert bench.events == [
        *(("start", 1, "unknown", 0.0), ("stop", 1, "unknown", 0.2)),
        *(("start", 2, "unknown", 0.2), ("stop", 2, "unknown", 0.3)),
    ]
    assert actions == [STAND, None, None]
    assert bench.kept() == {"unknown": (2, 0.3)}


def test_chance_drives_only_within_episodes_and_only_with_leave() -> None:
    leave = True
    bench = Bench(permit=lambda: leave, source="random")
    assert bench.steps(2) == [STAND, None]
    bench.ask(Kind.EPISODE)
    assert bench.steps(2) == [[30.0, 30.0]] * 2
    leave = False
    assert bench.steps(2) == [STAND, None]


def test_a_discarded_episode_adds_nothing_and_takes_the_last_back_only_once() -> None:
    bench = Bench()
    for length in (3, 5):
        bench.ask(Kind.EPISODE)
        bench.steps(length)
        bench.ask(Kind.EPISODE)
    bench.ask(Kind.EPISODE)
    bench.steps(4)
    bench.ask(Kind.DISCARD)  # the running one: the third
    assert bench.kept() == {"unknown": (2, 0.6)}
    bench.ask(Kind.DISCARD)  # the last one kept: the second
    bench.ask(Kind.DISCARD)
    assert bench.kept() == {"unknown": (1, 0.2)}
    assert bench.session.episodes.discarded == 2
    assert [event[:2] for event in bench.events if event[0] == "discard"] == [
        ("discard", 3),
        ("discard", 2),
    ]


def test_another_terrain_counts_from_the_next_episode_on() -> None:
    bench = Bench(terrains=("carpet", "turf", "gravel"))
    bench.ask(Kind.EPISODE)
    bench.steps(2)
    bench.ask(Kind.TERRAIN, 3)
    bench.ask(Kind.TERRAIN, 7)  # there is none
    bench.steps(2)
    bench.ask(Kind.EPISODE)
    bench.ask(Kind.EPISODE)
    bench.steps(2)
    bench.ask(Kind.EPISODE)
    bench.ask(Kind.TERRAIN)  # the next one, which is the first
    assert bench.kept() == {"carpet": (1, 0.3), "gravel": (1, 0.1)}
    assert bench.session.terrain == "carpet"


def test_halt_ends_the_episode_at_the_newest_state_and_holds_until_the_hand_lets_go() -> None:
    bench = Bench()
    bench.hand = DRIVE
    bench.ask(Kind.EPISODE)
    bench.steps(3)  # 0 to 0.2 s
    bench.ask(Kind.HALT)
    assert bench.events[-1] == ("stop", 1, "unknown", 0.2)
    assert bench.steps(3) == [STAND, None, None]
    bench.hand = None
    bench.steps(1)
    bench.hand = DRIVE
    assert bench.steps(1) == [[10.0, 20.0]]


def test_a_stop_of_the_safety_monitor_ends_the_episode_where_it_came() -> None:
    bench = Bench(automatic=True, source="random")
    bench.steps(4)  # 0 to 0.3 s: the monitor stops what answers the last of them
    assert bench.steps(2, stopped=True) == [STAND, None]
    assert bench.steps(1) == [None]
    assert bench.events == [("start", 1, "unknown", 0.0), ("stop", 1, "unknown", 0.3)]


@pytest.mark.parametrize("jump", [5.0, -5.0])
def test_a_gap_ends_the_episode_before_it(jump: float) -> None:
    bench = Bench()
    bench.time = 10.0
    bench.ask(Kind.EPISODE)
    bench.steps(4)
    bench.time += jump
    bench.steps(2)
    assert bench.events[-1] == ("stop", 1, "unknown", 10.3)
    assert bench.kept() == {"unknown": (1, 0.3)}


def test_the_way_to_the_middle_is_the_robots_and_ends_near_it() -> None:
    bench = Bench()
    bench.ask(Kind.EPISODE)
    bench.steps(2, x=2.0)
    bench.ask(Kind.MIDDLE)
    assert bench.events[-1][0] == "stop"
    expected = ROBOT.retreat(at(2.0), (0.0, 0.0)).tolist()
    assert bench.steps(2, x=2.0) == [expected, expected]
    # The middle is reached within a quarter of the 2.7 m between it and the fence.
    assert bench.steps(1, x=0.68) == [ROBOT.retreat(at(0.68), (0.0, 0.0)).tolist()]
    assert bench.steps(2, x=0.67) == [STAND, None]


def test_who_takes_the_keys_takes_over_from_the_return() -> None:
    bench = Bench()
    bench.steps(1, x=2.0)
    bench.ask(Kind.MIDDLE)
    bench.steps(1, x=2.0)
    bench.hand = DRIVE
    assert bench.steps(1, x=2.0) == [[10.0, 20.0]]
    bench.hand = None
    assert bench.steps(2, x=2.0) == [STAND, None]


def test_between_automatic_episodes_it_comes_back_from_the_edge() -> None:
    bench = Bench(episode_seconds=0.2, automatic=True, source="random")
    bench.steps(3, x=2.5)  # 0.5 m from the edge
    assert bench.session.returning
    bench.steps(5, x=1.0)
    assert bench.session.episodes.running is None
    bench.steps(1, x=0.5)
    running = bench.session.episodes.running
    assert running is not None and (running.index, running.began) == (2, 0.8)


def test_a_return_that_does_not_get_there_is_given_up() -> None:
    bench = Bench(return_seconds=0.5)
    bench.steps(1, x=2.0)
    bench.ask(Kind.MIDDLE)
    actions = bench.steps(8, x=2.0)
    assert actions[4] not in (STAND, None)
    assert actions[5:] == [STAND, None, None]


def test_sources_take_turns_and_an_episode_says_who_drove() -> None:
    bench = Bench()
    bench.hand = DRIVE
    bench.ask(Kind.EPISODE)
    bench.steps(2)
    bench.ask(Kind.SOURCE)
    assert bench.steps(1) == [[30.0, 30.0]]
    running = bench.session.episodes.running
    assert running is not None and running.sources == ("keyboard", "random")
    bench.ask(Kind.SOURCE)
    assert bench.session.source == "keyboard"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"terrains": ()}, "1 to 9 different words"),
        ({"terrains": ("a", "a")}, "1 to 9 different words"),
        ({"terrains": ("a b",)}, "1 to 9 different words"),
        ({"episode_seconds": -1.0}, "episode_seconds: expected 0 or more"),
        ({"return_seconds": 0.0}, "return_seconds: expected above 0"),
        ({"source": "parrot"}, "source: expected one of"),
    ],
)
def test_wrong_settings_are_refused(config: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        Bench(**config)


ASKED = st.sampled_from([Request(kind, which) for kind in Kind for which in (0, 2)])
MOVES = st.tuples(
    st.lists(ASKED, max_size=2),
    st.booleans(),  # whether the hand drives
    st.booleans(),  # whether there is leave
    st.integers(0, 19).map(lambda k: k == 0),  # a stop of the safety monitor
    st.floats(-2.9, 2.9),  # where it is
    st.sampled_from([0.1, 0.1, 0.1, 0.13, 3.0]),  # time that passes
)


@settings(max_examples=150, deadline=None)
@given(moves=st.lists(MOVES, max_size=60), automatic=st.booleans())
def test_whatever_is_asked(moves: list[Any], automatic: bool) -> None:
    leave = True
    source = "random" if automatic else "keyboard"
    bench = Bench(
        permit=lambda: leave,
        terrains=("carpet", "turf"),
        automatic=automatic,
        source=source,
        episode_seconds=0.5,
    )
    driving = True
    for asked, drives, leave, stopped, x, elapsed in moves:  # noqa: B007 (`permit` reads it)
        bench.hand = DRIVE if drives else None
        for request in asked:
            bench._note(bench.session.request(request))
        action = bench.step(x=x, stopped=stopped).action
        bench.time += elapsed - 0.1
        if action is None:
            assert not driving  # a stand-still came before the silence
        moved = action is not None and action.any()
        assert not (moved and stopped)
        assert not (moved and not leave and not drives)  # nothing moves by itself without leave
        driving = bool(moved)
    bench._note(bench.session.interrupt())
    # What is kept, from the events alone.
    starts = {index: time for kind, index, _, time in bench.events if kind == "start"}
    ends = {index: time for kind, index, _, time in bench.events if kind != "start"}
    gone = {index for kind, index, _, _ in bench.events if kind == "discard"}
    kept = {index for kind, index, _, _ in bench.events if kind == "stop"} - gone
    assert set(ends) == set(starts) == kept | gone
    total = sum(seconds for _, seconds in bench.kept().values())
    assert total == pytest.approx(sum(ends[k] - starts[k] for k in kept), abs=1e-4)
    assert bench.session.episodes.discarded == len(gone)
    assert sum(count for count, _ in bench.kept().values()) == len(kept)
