"""A radio robot at the end of a line whose time passes only when somebody waits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ros_mbmrl.plants.emulators.velociroach import AirConfig, FarSide
from ros_mbmrl.plants.hexapod_radio import HexapodRadio, RadioConfig
from ros_mbmrl.plants.poses import PoseMailbox, StampedPose
from ros_mbmrl.plants.wire import xbee
from ros_mbmrl.plants.wire.line import CHUNK, LineError
from ros_mbmrl.plants.wire.xbee_decoder import Decoder
from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.calibration import make_terrain
from ros_mbmrl.simulation.randomisation import Physics
from ros_mbmrl.simulation.world import HexapodWorld

ROBOT = make_robot("hexapod")


class Clock:
    """[s], moved by hand."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class VirtualLine:
    """A Line to a FarSide. sent: packets of the host with their times."""

    name = "virtual"

    def __init__(self, far_side: FarSide, clock: Clock) -> None:
        self._far, self._clock = far_side, clock
        self._buffer = b""
        self._decoder = Decoder(xbee.TO_RADIO)
        self.sent: list[tuple[float, bytes]] = []
        far_side.begin(clock.now)

    def open(self) -> None:
        self._check("no such port 'virtual'")
        self._buffer = b""

    def close(self) -> None: ...

    def write(self, data: bytes) -> None:
        self._check("port virtual is gone (test)")
        for frame in self._decoder.feed(data):
            assert isinstance(frame, xbee.Transmit)
            self.sent.append((self._clock.now, frame.data))
        self._far.receive(data, self._clock.now)

    def read(self, wait: bool = True) -> bytes:
        self._check("port virtual is gone (test)")
        until = self._clock.now + (CHUNK if wait else 0.0)
        self._buffer += self._far.advance(self._clock.now)
        while not self._buffer and self._clock.now < until:
            self._clock.now = min(until, self._far.next_event)
            self._buffer += self._far.advance(self._clock.now)
        data, self._buffer = self._buffer, b""
        return data

    def sleep(self, duration: float) -> None:
        until = self._clock.now + duration
        while self._clock.now < until:
            self._clock.now = min(until, self._far.next_event)
            self._buffer += self._far.advance(self._clock.now)

    def _check(self, message: str) -> None:
        if "unplugged" in self._far.faults:
            raise LineError(message)


class Bench:
    """A plant, its robot, and the clock they share."""

    def __init__(
        self, config: RadioConfig | None = None, air: AirConfig | None = None, noise: float = 1.0
    ) -> None:
        self.clock = Clock()
        self.poses = PoseMailbox(self.clock)
        physics = Physics(sensor_noise=noise, process_noise=noise)
        self.world = HexapodWorld(make_terrain("plain"), physics)
        self.far = FarSide(
            self.world, air, lambda time, p, q: self.poses.put(StampedPose(time, p, q))
        )
        self.line = VirtualLine(self.far, self.clock)
        self.plant = HexapodRadio(
            ROBOT, config or RadioConfig(), self.line, self.poses, self.clock, self.line.sleep
        )

    def walk(
        self,
        seconds: float,
        action: tuple[float, float] = (30.0, 30.0),
        after: Callable[[], None] = lambda: None,
    ) -> list[np.ndarray]:
        """As the driver does it: ten times a second observe, command 30 ms later."""
        rows = []
        for _ in range(round(10 * seconds)):
            began = self.clock.now
            rows.append(self.plant.observe().values)
            self.line.sleep(0.03)
            self.plant.command(np.array(action))
            self.line.sleep(max(0.0, began + 0.1 - self.clock.now))
            after()
        return rows

    def kinds(self) -> list[int]:
        """Types of the packets that were sent, in order."""
        return [packet[1] for _, packet in self.line.sent]


@pytest.fixture(scope="session")
def make_bench() -> type[Bench]:
    """`Bench`."""
    return Bench
