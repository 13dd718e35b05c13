"""A seat: pull, step, push; what its heartbeat tells, and how it paces."""

from __future__ import annotations

import threading
from pathlib import Path

from ros_mbmrl.learning.asynchronous.files import read_json
from ros_mbmrl.learning.asynchronous.servers import Servers
from ros_mbmrl.learning.asynchronous.simulated_time import SimulatedClock
from ros_mbmrl.learning.asynchronous.worker import Seat, WallClock


class Counter:
    """A worker that has something to do every second time; the run is over after 3 steps."""

    def __init__(self, servers: Servers, clock: SimulatedClock, lasts: float) -> None:
        self.name, self.lasts, self.versions = "counter", lasts, {"model": 4}
        self._servers, self._clock = servers, clock
        self.said: list[str] = []

    def pull(self) -> bool:
        self.said.append("pull")
        return len(self.said) % 2 == 0

    def step(self) -> None:
        self.said.append("step")
        self._clock.wait(0.25)

    def push(self) -> dict[str, float]:
        self.said.append("push")
        number = len(self._servers.data)
        self._servers.data.path(number).parent.mkdir(exist_ok=True)
        self._servers.data.path(number).touch()
        return {"loss": 0.5}


def test_it_runs_until_the_run_is_complete(tmp_path: Path) -> None:
    servers, clock = Servers(tmp_path, limit=3), SimulatedClock()
    seat = Seat(Counter(servers, clock, lasts=1.0), servers, clock, paced=True)
    seat.run(poll=0.125)
    # Three steps of 1 s on the robot, .25 s of them computed; idle before each of them.
    assert seat.turns == 3
    assert seat.busy == 3.0
    assert seat.idle == 0.125 * seat.worker.said.count("pull") - 0.125 * 3  # type: ignore[attr-defined]
    assert clock.now() == seat.busy + seat.idle
    beat = read_json(servers.heartbeat("counter"))
    assert beat["phase"] == "done" and beat["turns"] == 3
    assert beat["versions"] == {"model": 4} and beat["figures"] == {"loss": 0.5}
    assert beat["idle_s"] == seat.idle and beat["told"] == clock.now()


def test_without_a_pace_a_step_lasts_as_long_as_it_computes(tmp_path: Path) -> None:
    servers, clock = Servers(tmp_path, limit=1), SimulatedClock()
    seat = Seat(Counter(servers, clock, lasts=1.0), servers, clock)
    assert not seat.turn()
    assert read_json(servers.heartbeat("counter"))["phase"] == "idle"
    assert seat.turn()
    assert clock.now() == 0.25


def test_an_interrupt_ends_every_wait_of_the_wall_clock() -> None:
    interrupt = threading.Event()
    interrupt.set()
    clock = WallClock(interrupt)
    before = clock.now()
    clock.wait(3600.0)
    clock.wait(-1.0)
    assert clock.now() >= before
