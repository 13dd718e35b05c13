"""The robot's side of the radio: a pseudo-terminal in front of the twin.

Transmission takes as long as at the line's speed, both ways, and the twin's time is real time.
"""

from __future__ import annotations

import math
import os
import select
import threading
import time
import tty
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from ros_mbmrl.errors import RunError
from ros_mbmrl.plants.emulators.firmware import VERSION, Firmware
from ros_mbmrl.plants.emulators.radio_faults import LineFaults
from ros_mbmrl.plants.wire import xbee
from ros_mbmrl.plants.wire.xbee_decoder import Decoder
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.world import TICK, HexapodWorld

OTHER_VERSION = "ImageProc 2.5 hall"
BEHIND = 0.5  # [s] behind real time, beyond which missed time is left out
TRACE_TICKS = 5  # ticks between two poses of the trace

OnPose = Callable[[float, Array, Array], None]


@dataclass(frozen=True)
class AirConfig:
    """Settings of the radio.

    Args:
        address: of the robot.
        baud: of the serial line; a byte takes 10 bits.
        rssi: of its answers, -dBm.
        bit_error_rate: for every bit, on a line with bit errors.
        seed: of all random numbers but the world's.
    """

    address: int = 0x0001
    baud: int = 57600
    rssi: int = 40
    bit_error_rate: float = 1e-4
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.baud > 0:
            raise ValueError(f"baud: expected above 0, got {self.baud}")
        if not 0 <= self.bit_error_rate <= 1:
            raise ValueError(f"bit_error_rate: expected 0 to 1, got {self.bit_error_rate}")


class FarSide:
    """A robot at the other end of a line, advanced by the caller's clock; no I/O.

    `on_pose(time, position (3,) [m], quaternion (4,) wxyz)` gets the pose from motion capture 100
    times a second; the time is when it was true, on the caller's clock. `trace`: true time, x, y,
    yaw. `driven`: true time, whether the motors turn from then on, at each change. `pauses`:
    stretches of the caller's clock [s] that the robot's time leaves out, as this machine stood.
    """

    def __init__(
        self,
        world: HexapodWorld,
        config: AirConfig | None = None,
        on_pose: OnPose = lambda time, position, quaternion: None,
    ) -> None:
        self._config = config or AirConfig()
        sensors, air, loss = np.random.SeedSequence([self._config.seed, 1]).spawn(3)
        self.world = world
        self.firmware = Firmware(world, np.random.default_rng(sensors))
        self.faults = LineFaults(np.random.default_rng(air), self._config.bit_error_rate)
        self._loss = np.random.default_rng(loss)
        self._on_pose = on_pose
        self._decoder = Decoder(xbee.TO_RADIO)
        self._coming: deque[tuple[float, bytes]] = deque()  # each with the time of its last byte
        self._going: deque[tuple[float, bytes]] = deque()
        self._hears = self._speaks = -math.inf  # until when the line is busy, each way
        self._began: float | None = None
        self._ticks = 0
        self.trace: list[tuple[float, float, float, float]] = []
        self.driven: list[tuple[float, bool]] = []
        self.pauses: list[tuple[float, float]] = []
        self.distance = 0.0
        self._last = world.pose()

    def begin(self, now: float) -> None:
        """Set the robot's time 0."""
        self._began = now

    def receive(self, data: bytes, now: float) -> None:
        """Take in `data` that the host begins to send."""
        self._hears = max(self._hears, now) + self._duration(data)
        self._coming.append((self._hears, data))

    def advance(self, now: float) -> bytes:
        """Process all events until `now`; return the bytes that have reached the host."""
        self._keep_up(now)
        while self._coming or self._next_tick <= now:
            due = self._coming[0][0] if self._coming else math.inf
            if min(due, self._next_tick) > now:
                break
            if self._next_tick <= due:
                self._tick()
            else:
                self._hear(*self._coming.popleft())
        out = bytearray()
        while self._going and self._going[0][0] <= now:
            out += self._going.popleft()[1]
        return bytes(out)

    @property
    def next_event(self) -> float:
        """Return the time of the next event."""
        queued = [queue[0][0] for queue in (self._coming, self._going) if queue]
        return min([self._next_tick, *queued])

    @property
    def _start(self) -> float:
        assert self._began is not None, "begin first"
        return self._began

    @property
    def _next_tick(self) -> float:
        return self._start + (self._ticks + 1) * TICK

    def _keep_up(self, now: float) -> None:
        """Continue from now after a pause of this machine, as if the robot had stood still."""
        if now - self._next_tick > BEHIND:
            self.pauses.append((self._next_tick, now))
            self._began = now - (self._ticks + 1) * TICK

    def _tick(self) -> None:
        self.firmware.block("stalled" in self.faults)
        self.firmware.tick()
        self._ticks += 1
        self._note_driven(self._next_tick - TICK)
        (pose, seen), late = self.firmware.sensors.pose(), self.world.time
        if not self.world.effect.mocap_lost:
            then = self._start + self._ticks * TICK - (late - seen)
            self._on_pose(*self.faults.to_mocap(then, pose))
        x, y, yaw = self.world.pose()
        self.distance += math.hypot(x - self._last[0], y - self._last[1])
        self._last = (x, y, yaw)
        if self._ticks % TRACE_TICKS == 0:
            self.trace.append((self._start + self._ticks * TICK, x, y, yaw))

    def _hear(self, when: float, data: bytes) -> None:
        version = OTHER_VERSION if "wrong_version" in self.faults else VERSION
        self.firmware.version = version
        lag = max(0.0, when - (self._next_tick - TICK))
        for frame in self._decoder.feed(self.faults.to_robot(data)):
            ours = isinstance(frame, xbee.Transmit) and frame.destination == self._config.address
            if ours and not self._lost():
                for answer in self.firmware.handle(frame.data, lag):  # type: ignore[union-attr]
                    self._answer(answer, when)
                self._note_driven(when)

    def _note_driven(self, when: float) -> None:
        driven = self.firmware.driven
        if driven is not (bool(self.driven) and self.driven[-1][1]):
            self.driven.append((when, driven))

    def _answer(self, packet: bytes, when: float) -> None:
        if self._lost():
            return
        received = xbee.Received(self._config.address, packet, self._config.rssi)
        data = self.faults.to_host(received)
        self._speaks = max(self._speaks, when) + self._duration(data)
        self._going.append((self._speaks, data))

    def _lost(self) -> bool:
        """Return whether the twin's own fault loses a packet, as in the plant without wires."""
        return bool(self._loss.random() < self.world.effect.packet_loss)

    def _duration(self, data: bytes) -> float:
        return len(data) * 10 / self._config.baud


class VelociroachEmulator:
    """A FarSide behind a pseudo-terminal `device`, which the path `link` may point to.

    Unplugging closes the terminal. Plugged in again it may have another name, so a program that
    wants to reconnect needs the link. Raises RunError if there is no terminal.
    """

    def __init__(
        self,
        far_side: FarSide,
        link: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.far_side, self._link, self._clock = far_side, link, clock
        self._ends: tuple[int, int] | None = None
        self.device = ""
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._plug()

    def __enter__(self) -> VelociroachEmulator:
        """Serve in a thread."""
        self._thread = threading.Thread(target=self.serve, args=(self._stop,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.close()

    def set_faults(self, *names: str) -> None:
        """Switch on exactly these faults of the line. Raises UserError."""
        self.far_side.faults.set(*names)

    def serve(self, stop: threading.Event, each: Callable[[float], None] | None = None) -> None:
        """Serve until `stop`; each(seconds since the beginning) is called about every 10 ms."""
        far_side, began = self.far_side, self._clock()
        far_side.begin(began)
        while not stop.is_set():
            self._keep_plugged()
            now = self._clock()
            self._wait(max(0.0, min(far_side.next_event - now, TICK)))
            now = self._clock()
            if data := self._read():
                far_side.receive(data, now)
            if out := far_side.advance(now):
                self._write(out)
            if each:
                each(now - began)

    def close(self) -> None:
        """Remove the terminal and its link."""
        self._unplug()

    def _keep_plugged(self) -> None:
        unplugged = "unplugged" in self.far_side.faults
        if unplugged and self._ends:
            self._unplug()
        elif not unplugged and not self._ends:
            self._plug()

    def _plug(self) -> None:
        try:
            # The host's end is held open here, too, so a host may connect and disconnect freely.
            self._ends = host, theirs = os.openpty()
            os.set_blocking(host, False)
            tty.setraw(theirs)
            self.device = os.ttyname(theirs)
            if self._link:
                self._link.parent.mkdir(parents=True, exist_ok=True)
                partial = self._link.with_name(self._link.name + ".partial")
                partial.unlink(missing_ok=True)
                partial.symlink_to(self.device)
                os.replace(partial, self._link)
        except OSError as error:
            raise RunError(f"no pseudo-terminal: {error}") from None

    def _unplug(self) -> None:
        ends, self._ends = self._ends, None
        if ends:
            if self._link:
                with suppress(OSError):
                    self._link.unlink()
            for end in ends:
                os.close(end)

    def _wait(self, duration: float) -> None:
        if self._ends:
            select.select([self._ends[0]], [], [], duration)
        else:
            time.sleep(duration)

    def _read(self) -> bytes:
        with suppress(OSError):  # nothing there
            return os.read(self._ends[0], 4096) if self._ends else b""
        return b""

    def _write(self, data: bytes) -> None:
        with suppress(OSError):  # nobody reads: the bytes are lost, as on a real line
            if self._ends:
                os.write(self._ends[0], data)
