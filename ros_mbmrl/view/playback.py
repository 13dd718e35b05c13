"""Playback: the time of a recording that is played, and its messages as they come due."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ros_mbmrl.data.recording import Raw

NANO = 1_000_000_000
LONGEST = 0.1  # [s] between two looks at the time while nothing comes due


class Playback:
    """The time of a recording: it runs, stands still and jumps. May be used by several threads.

    Args:
        start, end: of the recording [ns].
        clock: returns seconds.
        speed: of the recording's time over the clock's.
    """

    def __init__(
        self, start: int, end: int, clock: Callable[[], float], speed: float = 1.0
    ) -> None:
        self.start, self.end = start, end
        self._clock, self._speed = clock, speed
        self._lock = threading.RLock()
        self._at, self._since = start, clock()
        self._playing, self._jumps = True, 0
        self.changed = threading.Event()  # whoever waits for the time to come looks again

    @property
    def now(self) -> int:
        """Return the time in the recording [ns], never beyond its end."""
        with self._lock:
            gone = self._clock() - self._since if self._playing else 0.0
            return min(self.end, self._at + round(gone * self._speed * NANO))

    @property
    def playing(self) -> bool:
        """Return whether the time runs."""
        with self._lock:
            return self._playing

    @property
    def speed(self) -> float:
        """Return the speed of the recording's time over the clock's."""
        with self._lock:
            return self._speed

    @property
    def jumps(self) -> int:
        """Return how often the time has jumped."""
        with self._lock:
            return self._jumps

    def change(
        self,
        playing: bool | None = None,
        speed: float | None = None,
        seek: int | None = None,
    ) -> None:
        """Change what is told; `seek` [ns] is kept within the recording."""
        with self._lock:
            self._at, self._since = self.now, self._clock()
            if playing is not None:
                self._playing = playing
            if speed is not None and 0.0 < speed <= 1000.0:
                self._speed = speed
            if seek is not None:
                self._at = min(max(seek, self.start), self.end)
                self._jumps += 1
            self.changed.set()

    def left(self, time: int) -> float:
        """Return how long it takes until `time` [ns] comes [s]; infinite while it stands still."""
        with self._lock:
            if not self._playing:
                return float("inf") if time > self._at else 0.0
            return (time - self.now) / NANO / self._speed


@dataclass(frozen=True)
class Due:
    """A message that is due; behind: it came before the time that was jumped to."""

    raw: Raw
    behind: bool = False


def play(
    playback: Playback,
    read: Callable[[], Iterator[Raw]],
    stopped: threading.Event,
    tick: Callable[[], None] = lambda: None,
) -> Iterator[Due | None]:
    """Yield messages as they come due, and None after each jump, until the end.

    After a jump the newest message of each topic before that time comes first (`behind`), so that
    a view shows what was known then. The file is read again from its beginning: it need not fit
    into memory, nor have an index.

    Args:
        playback: its time.
        read: begins to read the messages in their order.
        stopped: ends it at once.
        tick: called before each wait.
    """
    while not stopped.is_set():
        jumps = playback.jumps
        since = playback.now if jumps else playback.start
        if jumps:
            yield None
        newest: dict[str, Raw] = {}
        for raw in read():
            if raw.log_time_ns < since:
                newest.pop(raw.topic, None)  # so that they stay in the order of their time
                newest[raw.topic] = raw
                continue
            yield from (Due(each, behind=True) for each in newest.values())
            newest = {}
            if not _wait(playback, raw.log_time_ns, jumps, stopped, tick):
                break
            yield Due(raw)
        else:
            yield from (Due(each, behind=True) for each in newest.values())
            if _wait(playback, playback.end, jumps, stopped, tick):
                return


def _wait(
    playback: Playback,
    time: int,
    jumps: int,
    stopped: threading.Event,
    tick: Callable[[], None],
) -> bool:
    """Return True once the time has come, False if it jumped or all was stopped before that."""
    while not stopped.is_set() and playback.jumps == jumps:
        left = playback.left(time)
        if left <= 0:
            return True
        tick()
        playback.changed.wait(min(left, LONGEST))
        playback.changed.clear()
    return False
