"""Decoder of an XBee's bytes into frames. No I/O.

In API mode 2, after the first byte of a frame, 7E, 7D, 11 and 13 are sent as 7D and the byte ^ 20:
such frames are counted, not read.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from ros_mbmrl.plants.wire.xbee import LONGEST, START, TO_HOST, Frame, Kinds, check_sum

ESCAPE, ESCAPED = 0x7D, 0x20
OVERHEAD = 4  # bytes of a frame outside of its body


@dataclass
class Tally:
    """Totals of a decoder.

    Args:
        frames: valid ones.
        checksum_errors: candidates for a frame that were invalid.
        escaped: invalid candidates that would be frames in API mode 2.
        resynchronisations: valid frames found after bytes had to be skipped.
        skipped: such bytes.
        received: all bytes.
    """

    frames: int = 0
    checksum_errors: int = 0
    escaped: int = 0
    resynchronisations: int = 0
    skipped: int = 0
    received: int = 0

    def counters(self) -> dict[str, int]:
        """Return the totals by name."""
        return asdict(self)


class Decoder:
    """Decoder from bytes to frames, wherever the bytes are cut.

    After a 7E that cannot begin a frame (impossible length or kind, wrong check-sum) the search
    continues with the next byte, so a false start swallows no valid frame.
    """

    def __init__(self, kinds: Kinds = TO_HOST) -> None:
        self._kinds = kinds
        self._buffer = bytearray()
        self._synchronised = True
        self.tally = Tally()

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that `data` completes, in order."""
        self.tally.received += len(data)
        buffer = self._buffer
        buffer += data
        frames: list[Frame] = []
        place = 0
        while (begin := buffer.find(START, place)) >= 0:
            self._skip(begin - place)
            place = begin
            end = self._end(begin)
            if end is None:
                break
            body = bytes(buffer[begin + 3 : end - 1])
            if end and check_sum(body) == buffer[end - 1]:
                frames.append(self._accept(body))
                place = end
            else:
                self.tally.checksum_errors += bool(end)
                self.tally.escaped += self._escaped(begin)
                self._skip(1)
                place = begin + 1
        else:
            self._skip(len(buffer) - place)
            place = len(buffer)
        del buffer[:place]
        return frames

    def _end(self, begin: int) -> int | None:
        """Return where the frame that begins there ends; 0: no frame; None: it is not complete."""
        head = self._buffer[begin + 1 : begin + 4]
        if len(head) >= 2:
            length = head[0] << 8 | head[1]
            if not 1 <= length <= LONGEST:
                return 0
            if len(head) == 3:
                kind = self._kinds.get(head[2])
                if kind is None or not kind.shortest <= length <= kind.longest:
                    return 0
                end = begin + OVERHEAD + length
                return end if end <= len(self._buffer) else None
        return None

    def _escaped(self, begin: int) -> bool:
        """Return whether a whole frame of API mode 2 begins there, with something escaped in it."""
        data, escape, escapes = bytearray(), 0, 0
        for byte in self._buffer[begin + 1 : begin + 2 * (OVERHEAD + LONGEST)]:
            if byte == START:
                break
            if byte == ESCAPE and not escape:
                escape, escapes = ESCAPED, escapes + 1
                continue
            data.append(byte ^ escape)
            escape = 0
            if len(data) > 2 and len(data) == (length := data[0] << 8 | data[1]) + 3:
                body = bytes(data[2:-1])
                kind = self._kinds.get(body[0]) if body else None
                fits = kind is not None and kind.shortest <= length <= kind.longest
                return bool(escapes) and fits and check_sum(body) == data[-1]
        return False

    def _accept(self, body: bytes) -> Frame:
        self.tally.frames += 1
        self.tally.resynchronisations += not self._synchronised
        self._synchronised = True
        return self._kinds[body[0]].read(body)

    def _skip(self, count: int) -> None:
        if count:
            self.tally.skipped += count
            self._synchronised = False
