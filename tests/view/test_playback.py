"""The time of a recording by a clock by hand: it runs, stands still, jumps and ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from ros_mbmrl.data.recording import Raw
from ros_mbmrl.view import playback as module
from ros_mbmrl.view.playback import NANO, Playback, play


class Clock:
    """Seconds by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def playback(clock: Clock) -> Playback:
    return Playback(10 * NANO, 20 * NANO, clock)


def test_it_runs_at_its_speed_to_its_end(playback: Playback, clock: Clock) -> None:
    assert playback.now == 10 * NANO
    clock.seconds += 2
    assert playback.now == 12 * NANO
    assert playback.left(13 * NANO) == pytest.approx(1.0)
    playback.change(speed=4.0)
    assert playback.left(16 * NANO) == pytest.approx(1.0)
    clock.seconds += 1
    assert playback.now == 16 * NANO
    clock.seconds += 100
    assert playback.now == 20 * NANO


def test_it_stands_still_and_goes_on(playback: Playback, clock: Clock) -> None:
    clock.seconds += 1
    playback.change(playing=False)
    clock.seconds += 5
    assert playback.now == 11 * NANO and not playback.playing
    assert playback.left(12 * NANO) == float("inf")
    assert playback.left(11 * NANO) == 0.0
    playback.change(playing=True)
    clock.seconds += 1
    assert playback.now == 12 * NANO


def test_it_jumps_within_the_recording(playback: Playback) -> None:
    for asked, found in ((15, 15), (0, 10), (99, 20)):
        playback.change(seek=asked * NANO)
        assert playback.now == found * NANO
    assert playback.jumps == 3


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), float("inf"), 1e9])
def test_a_speed_that_is_none_changes_nothing(playback: Playback, speed: float) -> None:
    playback.change(speed=speed)
    assert playback.speed == 1.0


def raw(topic: str, second: float) -> Raw:
    return Raw(topic, "t", b"", round(second * NANO), f"{topic}@{second}".encode())


MESSAGES = [raw("a", 10), raw("b", 11), raw("a", 12), raw("b", 13), raw("a", 19), raw("b", 20)]


class Waits:
    """Stands in for waiting: time passes by itself, and something happens at a time."""

    def __init__(self, clock: Clock, playback: Playback) -> None:
        self.clock, self.playback = clock, playback
        self.at: list[tuple[int, dict[str, object]]] = []

    def wait(self, seconds: float) -> None:
        self.clock.seconds += seconds
        if self.at and self.playback.now >= self.at[0][0]:
            self.playback.change(**self.at.pop(0)[1])  # type: ignore[arg-type]

    def clear(self) -> None:
        pass

    def set(self) -> None:
        pass


@pytest.fixture
def waits(clock: Clock, playback: Playback, monkeypatch: pytest.MonkeyPatch) -> Waits:
    made = Waits(clock, playback)
    monkeypatch.setattr(playback, "changed", made)
    monkeypatch.setattr(module, "LONGEST", 0.25)
    return made


def played(playback: Playback) -> Iterator[tuple[str, int]]:
    """What came, and when: the whole second of the recording's time."""
    for due in play(playback, lambda: iter(MESSAGES), threading.Event()):
        what = "jump" if due is None else due.raw.data.decode() + (" behind" if due.behind else "")
        yield what, playback.now // NANO


def test_messages_come_when_they_are_due(playback: Playback, waits: Waits) -> None:
    expected = [(f"{m.topic}@{m.log_time_ns // NANO}", m.log_time_ns // NANO) for m in MESSAGES]
    assert list(played(playback)) == expected


def test_after_a_jump_what_was_known_by_then_comes_first(playback: Playback, waits: Waits) -> None:
    waits.at = [(round(11.4 * NANO), {"seek": 18 * NANO})]
    assert [what for what, _ in played(playback)] == [
        *("a@10", "b@11", "jump", "a@12 behind", "b@13 behind", "a@19", "b@20"),
    ]


def test_a_jump_back_plays_again(playback: Playback, waits: Waits) -> None:
    waits.at = [(round(12.4 * NANO), {"seek": 0})]
    names = [what for what, _ in played(playback)]
    assert names == [
        *("a@10", "b@11", "a@12", "jump"),
        *("a@10", "b@11", "a@12", "b@13", "a@19", "b@20"),
    ]


def test_a_jump_to_the_end_shows_what_was_known_last(playback: Playback, waits: Waits) -> None:
    waits.at = [(round(11.4 * NANO), {"seek": 99 * NANO})]
    names = [what for what, _ in played(playback)]
    assert names[names.index("jump") + 1 :] == ["b@13 behind", "a@19 behind", "b@20"]


def test_it_waits_while_it_is_paused_and_stops_when_told(playback: Playback) -> None:
    playback.change(playing=False)
    stopped = threading.Event()
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(playback.now)
        if len(ticks) == 3:
            stopped.set()

    came = list(play(playback, lambda: iter(MESSAGES), stopped, tick))
    assert [due and due.raw.data for due in came] == [b"a@10"]
    assert ticks == [10 * NANO] * 3
