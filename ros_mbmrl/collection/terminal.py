"""A terminal that delivers single keys; every way out restores its settings."""

from __future__ import annotations

import os
import termios
import tty
from pathlib import Path
from types import TracebackType
from typing import Any

from ros_mbmrl.collection.keyboard import KeyDecoder
from ros_mbmrl.errors import UserError

_DISABLED = b"\x00"  # _POSIX_VDISABLE on Linux


class Terminal:
    """A context manager on a terminal's device. Raises UserError if it is not a terminal.

    Ctrl-C still interrupts. Ctrl-Z and Ctrl-S do nothing: a process that is suspended, or waits for
    its output, would leave the robot driving. `gone`: the terminal was closed.
    """

    def __init__(self, device: Path = Path("/dev/tty")) -> None:
        try:
            self.fd = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            raise UserError(f"keyboard: {device}: {error.strerror}: expected a terminal") from None
        if not os.isatty(self.fd):
            os.close(self.fd)
            raise UserError(f"keyboard: {device} is not a terminal")
        self._saved: list[Any] = termios.tcgetattr(self.fd)
        self._decoder = KeyDecoder()
        self.gone = False

    def __enter__(self) -> Terminal:
        tty.setcbreak(self.fd, termios.TCSANOW)
        attributes = termios.tcgetattr(self.fd)
        attributes[0] &= ~termios.IXON
        attributes[6][termios.VSUSP] = _DISABLED
        termios.tcsetattr(self.fd, termios.TCSANOW, attributes)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Restore the terminal; may be called again."""
        if self.fd < 0:
            return
        try:
            # Keys that were meant for the robot must not reach the shell.
            termios.tcsetattr(self.fd, termios.TCSAFLUSH, self._saved)
        except termios.error:
            pass  # the terminal is gone
        finally:
            os.close(self.fd)
            self.fd = -1

    def pressed(self) -> list[str]:
        """Return the names of the keys that were pressed since the last call."""
        if self.gone:
            return []
        try:
            characters = os.read(self.fd, 1024)
        except BlockingIOError:
            return []
        except OSError:
            characters = b""
        if not characters:
            self.gone = True
        return self._decoder.feed(characters.decode("utf-8", "ignore"))
