"""An exit that nothing can hold up: by a timer of the C library, which needs no lock of Python."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

from ros_mbmrl.runtime.signals import tell_where_it_hangs

_CLOCK_MONOTONIC = 1
_SIGEV_THREAD = 2  # at its time the timer calls a function, in a thread of its own


class _Event(ctypes.Structure):
    """`struct sigevent` of Linux."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("function", ctypes.c_void_p),
        ("attributes", ctypes.c_void_p),
        ("reserved", ctypes.c_char * 32),
    )


class _Times(ctypes.Structure):
    """`struct itimerspec`: seconds and nanoseconds of the interval, and of the first time."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("first_s", ctypes.c_long),
        ("first_ns", ctypes.c_long),
    )


def exit_within(seconds: int, status: int) -> None:
    """End this process with a status if it is still there after so long, whatever it hangs in.

    For a process whose work is done: ROS takes its middleware down while it holds Python's lock, so
    no thread of Python could end it. Shortly before, every thread's Python stack goes to stderr.
    Does nothing where the C library has no such timers.

    Args:
        seconds: 1 or more.
        status: 0 to 255.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or not there
            stream.flush()
    tell_where_it_hangs(seconds)
    libc = ctypes.CDLL(None)
    with suppress(AttributeError):
        function = ctypes.cast(libc._exit, ctypes.c_void_p).value
        event = _Event(value=status, notify=_SIGEV_THREAD, function=function)
        timer = ctypes.c_void_p()
        if libc.timer_create(_CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(timer)) == 0:
            libc.timer_settime(timer, 0, ctypes.byref(_Times(first_s=seconds)), None)
