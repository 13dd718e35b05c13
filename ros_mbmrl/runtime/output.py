"""Output of several processes to one reader, who may be slow or gone."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress

LINES = 10_000  # that may wait


class Output:
    """Lines on their way to `echo`, in a thread of its own: no node ever waits for a reader.

    Lines are dropped while more than LINES wait, and all of them once `echo` fails.
    """

    def __init__(self, echo: Callable[[str], None]) -> None:
        self._echo, self._dropped = echo, 0
        self._lines: queue.Queue[str | None] = queue.Queue(LINES)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Queue a line to be shown."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Wait until all lines are shown, or a reader has been slow for 2 s."""
        with suppress(queue.Full):
            self._lines.put(None, timeout=2.0)
            self._thread.join(timeout=2.0)

    def _run(self) -> None:
        with suppress(OSError):
            while (line := self._lines.get()) is not None:
                self._echo(line)
                dropped, self._dropped = self._dropped, 0
                if dropped:
                    self._echo(f"{dropped} lines dropped: the output was not read in time")
            return
        while self._lines.get() is not None:  # nobody reads any more
            pass
