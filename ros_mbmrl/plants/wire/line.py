"""A serial line that may disappear and return."""

from __future__ import annotations

import errno
from contextlib import suppress
from typing import Any, Protocol

import serial

CHUNK = 0.005  # [s] that a read waits for a first byte
PATIENCE = 0.05  # [s] that a write may take


class LineError(Exception):
    """Error: the line cannot be used; the message says why."""


class Line(Protocol):
    """A line for bytes both ways. Every method but `close` raises LineError."""

    name: str

    def open(self) -> None:
        """Open the line and forget bytes that came before."""

    def close(self) -> None:
        """Close the line; may be called again."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def read(self, wait: bool = True) -> bytes:
        """Return the bytes that have come; with `wait`, wait at most CHUNK [s] for a first byte."""


class SerialLine:
    """A `Line` through pyserial."""

    def __init__(self, port: str, baud: int) -> None:
        self.name, self._baud = port, baud
        self._serial: Any = None

    def open(self) -> None:
        """See `Line`."""
        self.close()
        try:
            self._serial = serial.Serial(
                self.name, self._baud, timeout=CHUNK, write_timeout=PATIENCE, exclusive=True
            )
        except (OSError, ValueError, OverflowError) as error:
            raise LineError(_reason(self.name, error)) from None

    def close(self) -> None:
        """See `Line`."""
        held, self._serial = self._serial, None
        if held is not None:
            with suppress(OSError):  # the port has already gone
                held.close()

    def write(self, data: bytes) -> None:
        """See `Line`."""
        try:
            self._held().write(data)
        except OSError as error:
            raise self._gone(error) from None

    def read(self, wait: bool = True) -> bytes:
        """See `Line`."""
        try:
            held = self._held()
            first: bytes = held.read(1) if wait else b""
            return first + held.read(held.in_waiting) if first or not wait else first
        except OSError as error:
            raise self._gone(error) from None

    def _held(self) -> Any:
        if self._serial is None:
            raise LineError(f"port {self.name} is not open")
        return self._serial

    def _gone(self, error: Exception) -> LineError:
        self.close()
        return LineError(f"port {self.name} is gone ({error})")


def _reason(port: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == errno.ENOENT:
        return f"no such port '{port}'"
    if number in (errno.EACCES, errno.EPERM):
        return f"no permission to open '{port}': expected a user of its group (often dialout)"
    if number in (errno.EAGAIN, errno.EBUSY):
        return f"port '{port}' is used by another program"
    return f"'{port}' cannot be opened as a serial port ({error})"
