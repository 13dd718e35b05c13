"""Workers: pull, step, push, until the run has all its trajectories (thesis, section 8.2)."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ros_mbmrl.learning.asynchronous.files import write_json
from ros_mbmrl.learning.asynchronous.pause import Pause
from ros_mbmrl.learning.asynchronous.servers import Servers

TOLD_EVERY = 0.5  # [s] between the heartbeats of a worker whose phase stays the same
Figures = Mapping[str, float]


class Clock(Protocol):
    """Time of a run: of this machine, or simulated."""

    def now(self) -> float:
        """Return the time [s]."""

    def wait(self, seconds: float) -> None:
        """Wait so long, or until the run is to end."""


class WallClock:
    """Time of this machine: that of day when it began, and steady from then on.

    Args:
        interrupt: ends every wait when it is set.
    """

    def __init__(self, interrupt: threading.Event | None = None) -> None:
        self._interrupt = interrupt or threading.Event()
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """See `Clock.now`."""
        return time.monotonic() + self._offset

    def wait(self, seconds: float) -> None:
        """See `Clock.wait`."""
        self._interrupt.wait(max(0.0, seconds))


class Worker(Protocol):
    """One of the three main tasks of model-based reinforcement learning.

    Attributes:
        name: of its process and its heartbeat.
        lasts: seconds that the last step takes on the robot; 0: as long as it computes.
        versions: of what it has pulled: data (a number of trajectories), model, policy.
    """

    name: str
    lasts: float
    versions: dict[str, int]

    def pull(self) -> bool:
        """Get what is new from a server; return whether there is something to do."""

    def step(self) -> None:
        """Do the least that makes sense: one trajectory, one epoch, or one update."""

    def push(self) -> Figures:
        """Send the result to a server; return figures about it."""


class Runs(Protocol):
    """Something that takes turns: a seat in this process or in another one."""

    def turn(self) -> bool:
        """Pull, step, push; return whether there was something to do."""


@dataclass
class Seat:
    """Runs a worker, and tells in its heartbeat how it is.

    Args:
        worker: who is run.
        servers: of the run.
        clock: of the run.
        paced: whether a step lasts as long as on the robot, by this clock.
    """

    worker: Worker
    servers: Servers
    clock: Clock
    paced: bool = False
    phase: str = ""
    turns: int = 0
    idle: float = 0.0
    busy: float = 0.0
    figures: dict[str, float] = field(default_factory=dict)
    _told: float = -TOLD_EVERY

    def turn(self) -> bool:
        """See `Runs.turn`.

        Raises:
            RunError: something cannot be written.
            UserError: something cannot be read.
        """
        began = self.clock.now()
        if not self.begin():
            return False
        if self.paced:
            self.clock.wait(self.worker.lasts - (self.clock.now() - began))
        self.end(began)
        return True

    def begin(self) -> bool:
        """Pull and step; return whether there was something to do."""
        if not self.worker.pull():
            self._tell("idle")
            return False
        self._tell("step")
        self.worker.step()
        return True

    def end(self, began: float) -> None:
        """Push the result of a step that began at a time [s]."""
        self.figures = dict(self.worker.push())
        self.turns += 1
        self.busy += self.clock.now() - began
        self._tell("push")

    def run(self, poll: float) -> None:
        """Take turns until the run has all its trajectories.

        Args:
            poll: pause while there is nothing to do [s].
        """
        pause = Pause(self.servers.run)
        while not self.servers.data.complete:
            paused = bool(pause.reason)
            if paused:
                self._tell("paused")
            if paused or not self.turn():
                before = self.clock.now()
                self.clock.wait(poll)
                self.idle += self.clock.now() - before
        self._tell("done", at_once=True)

    def _tell(self, phase: str, at_once: bool = False) -> None:
        now = self.clock.now()
        begins = phase == "step" and self.phase == "idle"  # a step may last long
        self.phase = phase
        if not (at_once or begins) and now - self._told < TOLD_EVERY:
            return
        self._told = now
        write_json(self.servers.heartbeat(self.worker.name), self.state(now))

    def state(self, now: float) -> dict[str, Any]:
        """Return the content of the heartbeat."""
        return {
            "worker": self.worker.name,
            "phase": self.phase,
            "turns": self.turns,
            "versions": self.worker.versions,
            "idle_s": round(self.idle, 3),
            "busy_s": round(self.busy, 3),
            "figures": self.figures,
            "told": now,
        }
