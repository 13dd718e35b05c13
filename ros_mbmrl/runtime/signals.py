"""Signals that ask a process to end: the first one counts, and the time to end is limited.

A second Ctrl-C must not damage a recording, and it is common: under `ros2 launch` a node gets
SIGINT from the terminal and from the launch process. A process that hangs at its end is ended by
the kernel (SIGALRM), whatever thread or library it hangs in, and says before where it hangs.
"""

from __future__ import annotations

import atexit
import faulthandler
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from types import FrameType

KINDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 10  # [s] from the first signal to the end of the process
TOLD_AFTER = 0.8  # of the patience: then a process that hangs says where
REPEATS = 3.0  # [s] in which further signals repeat the first; a later one is a new request


def end_on_signals(end: Callable[[], None], patience: int = PATIENCE) -> Callable[[], None]:
    """Call `end` on the first signal of KINDS; return a function that restores the handlers.

    The process is killed `patience` seconds later (0: never), unless the handlers are restored
    before. `end` is called in a thread: the main thread may hold any lock when a signal comes.
    SIGHUP stays ignored where it is (`nohup`). Does nothing outside of the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    asked: list[float] = []  # when the first signal came [s]
    waiting: SimpleQueue[bool] = SimpleQueue()  # a signal handler may use it
    restored = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        if not asked:
            asked.append(time.monotonic())
            if patience > 0:
                tell_where_it_hangs(patience)
            signal.alarm(patience)
            atexit.register(ignore_signals)
            waiting.put(True)
        elif restored.is_set() and time.monotonic() - asked[0] > REPEATS:
            signal.signal(number, before[number])
            signal.raise_signal(number)

    def wait() -> None:
        if waiting.get():
            end()

    def restore() -> None:
        restored.set()
        waiting.put(False)
        if asked:  # repeated signals may still come
            signal.alarm(0)
            faulthandler.cancel_dump_traceback_later()
            return
        for kind, handler in before.items():
            signal.signal(kind, handler)

    threading.Thread(target=wait, daemon=True).start()
    before = {int(kind): signal.signal(kind, handle) for kind in _kinds()}
    return restore


@contextmanager
def ended_by_signals(end: Callable[[], None]) -> Iterator[None]:
    """Call `end` on the first signal while the context lasts. See `end_on_signals`."""
    restore = end_on_signals(end)
    try:
        yield
    finally:
        restore()


def exit_on_signals() -> None:
    """Exit on the first signal, with status 0: for a process that holds nothing yet."""
    for kind in _kinds():
        signal.signal(kind, lambda number, frame: os._exit(0))


def ignore_signals() -> None:
    """Ignore further signals: for a process that only has to exit.

    Python restores the default for a handler while it exits, but leaves an ignored signal alone.
    """
    for kind in KINDS:
        signal.signal(kind, signal.SIG_IGN)


def tell_where_it_hangs(patience: float) -> None:
    """Write every thread's Python stack to stderr shortly before `patience` [s] is over.

    By a thread of C, so that a stderr that nobody reads holds up nothing.
    """
    with suppress(OSError, ValueError, RuntimeError, AttributeError):  # stderr is no real file
        faulthandler.dump_traceback_later(TOLD_AFTER * patience)


def _kinds() -> list[signal.Signals]:
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [kind for kind in KINDS if kind is not signal.SIGHUP or not ignored]
