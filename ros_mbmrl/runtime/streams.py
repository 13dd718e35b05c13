"""Standard streams that never end a run: closed, piped to a process that has ended, or ASCII."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO


class _LastingFile(io.FileIO):
    """A file descriptor whose output is discarded after a failed write."""

    def write(self, data: bytes | bytearray | memoryview) -> int | None:  # type: ignore[override]
        """Write, or discard if nobody reads (a broken pipe, a closed terminal, a full disk)."""
        try:
            return super().write(data)
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return len(data)


def make_streams_last() -> None:
    """Make the standard streams usable whatever they are connected to; may be called again.

    A closed stream is opened on the null device, before another file gets its number.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 (open as long as the process lives)
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if stream is None or stream is getattr(sys, f"__{name}__"):
            setattr(sys, name, _lasting(number, stream))


def _lasting(number: int, stream: TextIO | None) -> TextIO:
    raw = _LastingFile(number, "w", closefd=False)
    unbuffered = bool(getattr(stream, "write_through", False))
    return io.TextIOWrapper(
        raw if unbuffered else io.BufferedWriter(raw),  # type: ignore[type-var]
        encoding=stream.encoding if stream else None,
        errors="backslashreplace",
        line_buffering=bool(getattr(stream, "line_buffering", False)) or number == 2,
        write_through=unbuffered,
    )
