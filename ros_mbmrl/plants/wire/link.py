"""RadioLink: packets to one robot over the radio, and its replies with their times."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ros_mbmrl.plants.wire import xbee
from ros_mbmrl.plants.wire.line import Line
from ros_mbmrl.plants.wire.velociroach import Reply, read_reply
from ros_mbmrl.plants.wire.xbee_decoder import Decoder

REMEMBERED = 2000  # round trips
NOISE = 32  # bytes without a frame: more are not just a disturbance
SURE = 3  # sightings: as many are not chance


@dataclass(frozen=True)
class Heard:
    """A reply, its time of arrival, and when the oldest request that it may answer was sent [s]."""

    reply: Reply
    came: float
    asked: float


class RadioLink:
    """Link to one robot: one request at a time, in the caller's thread.

    Replies carry no number of their request. They come in order, so a reply counts as the answer to
    the oldest request without one.

    Args:
        line: to the radio.
        address: of the robot.
        clock: steady [s].
        forget: age at which a request no longer expects an answer [s].
    """

    def __init__(self, line: Line, address: int, clock: Callable[[], float], forget: float) -> None:
        self.line, self._address, self._clock, self._forget = line, address, clock, forget
        self._decoder = Decoder()
        self._asked: deque[float] = deque()
        self._trips: deque[float] = deque(maxlen=REMEMBERED)
        self._strangers: set[int] = set()
        self._others: set[int] = set()  # kinds of unexpected frames
        self._mark = (0, 0)  # bytes and frames before the present request
        self._foreign = self._malformed = self._unexpected = self._bare = self.timeouts = 0
        self.restarts = 0  # of the radio
        self._raw = b""  # bytes since the line's last pause

    def open(self) -> None:
        """Open the line. Raises LineError."""
        self.line.open()
        self._decoder = self._renewed()
        self._asked.clear()

    def send(self, packet: bytes, answered: bool = False) -> None:
        """Send a packet; `answered`: the robot will reply to it. Raises LineError."""
        self.line.write(xbee.Transmit(self._address, packet).encode())
        if answered:
            self._asked.append(self._clock())

    def drain(self) -> None:
        """Discard received bytes: they are older than the answer to the next request."""
        self._sort(self.line.read(wait=False))

    def ask(
        self,
        packets: Sequence[bytes],
        wanted: Callable[[Reply], bool],
        until: float,
        again: float,
    ) -> Heard | None:
        """Send packets, of which the last is answered, until a wanted reply comes.

        Args:
            packets: to send, in order.
            wanted: returns whether a reply is the wanted one.
            until: when to give up, on the clock [s].
            again: time after which the packets are sent again [s].

        Raises:
            LineError: the line cannot be used.
        """
        tally = self._decoder.tally
        self._mark = (tally.received, tally.frames)
        self._strangers.clear()
        self._others.clear()
        while (began := self._clock()) < until:
            self._give_up(began)
            alone = not self._asked
            for packet in packets:
                self.send(packet, answered=packet is packets[-1])
            while self._clock() < min(began + again, until):
                for heard in self._sort(self.line.read()):
                    if wanted(heard.reply):
                        if alone:
                            self._trips.append(heard.came - heard.asked)
                        return heard
            self.timeouts += 1
        return None

    def complaint(self) -> str:
        """Return why the last `ask` may have had no answer."""
        again = f"; the radio has restarted, {self.restarts} in all" if self.restarts else ""
        return (self._stranger() or self.misconfigured() or self._silence()) + again

    def _stranger(self) -> str:
        others = ", ".join(f"0x{source:04x}" for source in sorted(self._strangers))
        return f"robot {others} answers, expected 0x{self._address:04x}" if others else ""

    def misconfigured(self) -> str:
        """Return which setting of the radio is not the expected one; empty if none is visible."""
        if self._others:
            kind = min(self._others)
            return f"radio: frames of kind 0x{kind:02x}: {xbee.OTHERS[kind][1]}"
        if self._bare >= SURE and not self._decoder.tally.frames:
            return "radio: answers without frames: it is set up with AP=0, expected AP=1"
        return self.escaping()

    def escaping(self) -> str:
        """Return a complaint if the radio loses frames in API mode 2, while it answers others."""
        tally = self._decoder.tally
        if tally.escaped < SURE or 2 * tally.escaped <= tally.checksum_errors:
            return ""
        return f"radio: {tally.escaped} escaped frames: it is set up with AP=2, expected AP=1"

    def _silence(self) -> str:
        tally = self._decoder.tally
        received, frames = tally.received - self._mark[0], tally.frames - self._mark[1]
        if self.garbled:
            return f"{tally.received} bytes, no valid frame: wrong baud rate?"
        if received and not frames:
            return f"radio garbled: {received} bytes, no valid frame"
        return "radio silent: no answer" if not frames else "radio: no answer to what was asked"

    @property
    def garbled(self) -> bool:
        """Return whether bytes have come but never a frame."""
        return self._decoder.tally.received >= NOISE and not self._decoder.tally.frames

    @property
    def misled(self) -> bool:
        """Return whether trying again would not help: wrong settings, or another robot."""
        return self.garbled or bool(self._strangers) or bool(self.misconfigured())

    def counters(self) -> dict[str, int | float]:
        """Return totals, and round trips from the first byte out to the last byte in [ms]."""
        trips = 1e3 * np.array(self._trips or [np.nan])
        return {
            **self._decoder.tally.counters(),
            "foreign": self._foreign,
            "unexpected": self._unexpected,
            "radio_restarts": self.restarts,
            "malformed": self._malformed,
            "timeouts": self.timeouts,
            "round_trip_p50_ms": round(float(np.percentile(trips, 50)), 3),
            "round_trip_p99_ms": round(float(np.percentile(trips, 99)), 3),
        }

    def _renewed(self) -> Decoder:
        """Return a decoder without half-read frames that continues the counts."""
        decoder = Decoder()
        decoder.tally = self._decoder.tally
        return decoder

    def _sort(self, data: bytes) -> list[Heard]:
        """Return the robot's replies that `data` completes."""
        now = self._clock()
        heard = []
        frames = self._decoder.feed(data)
        self._weigh(data)
        for frame in frames:
            if isinstance(frame, xbee.ModemStatus):
                self.restarts += frame.restarted
            elif isinstance(frame, xbee.Other):
                self._unexpected += 1
                self._others.add(frame.body[0])
            elif isinstance(frame, xbee.Received) and (reply := self._read(frame)) is not None:
                heard.append(Heard(reply, now, self._request(now)))
        return heard

    def _weigh(self, data: bytes) -> None:
        """Check whether the bytes between two pauses of the line are a packet without a frame."""
        if data:
            self._raw = (self._raw + data)[-xbee.LONGEST :]
        elif self._raw:
            self._bare += _bare(self._raw)
            self._raw = b""

    def _read(self, frame: xbee.Received) -> Reply | None:
        """Return the reply in a frame; None for another robot's frame, and for an invalid one."""
        if frame.source != self._address:
            self._foreign += 1
            self._strangers.add(frame.source)
            return None
        try:
            return read_reply(frame.data)
        except ValueError:
            self._malformed += 1
            return None

    def _request(self, now: float) -> float:
        self._give_up(now)
        return self._asked.popleft() if self._asked else now

    def _give_up(self, now: float) -> None:
        while self._asked and now - self._asked[0] > self._forget:
            self._asked.popleft()


def _bare(data: bytes) -> bool:
    """Return whether the bytes are a packet of the robot without a radio's frame around it."""
    try:
        return data[:1] == b"\0" and bool(read_reply(data))
    except ValueError:
        return False
