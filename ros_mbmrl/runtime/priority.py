"""Priority of a process or thread that must not wait for others, as far as it is permitted.

What answers within a millisecond (driver, safety) asks for the real-time scheduler (SCHED_FIFO) and
for memory that is not paged out; what computes for longer (adapting, planning) asks for a larger
share, because at real-time priority it would keep a core from everybody else.
"""

from __future__ import annotations

import ctypes
import os
import resource
from contextlib import suppress
from enum import Enum
from pathlib import Path

from ros_mbmrl.errors import choose

VARIABLE = "MBMRL_PRIORITY"  # of the environment: one of WORDS
AUTO, HIGH, NORMAL = "auto", "high", "normal"
WORDS = (AUTO, HIGH, NORMAL)
REAL_TIME = 20  # of 1 to 99; the kernel's own threads have 50 and more
NICE = -10
_CURRENT_AND_FUTURE, _ON_FAULT = 1 | 2, 4  # MCL_CURRENT, MCL_FUTURE; MCL_ONFAULT
_POPULATE_READ = 22  # MADV_POPULATE_READ


class Work(Enum):
    """Kinds of work that ask for priority."""

    URGENT = "urgent"
    LONG = "long"


def wanted() -> str:
    """Return what the environment asks for. Raises UserError for a word that is none of WORDS."""
    word = os.environ.get(VARIABLE, AUTO)
    choose("priority", word, WORDS)
    return word


def take(work: Work) -> str:
    """Take the priority of a kind of work for this thread, and those that it starts.

    Returns:
        A line for people if it was asked for by name and refused, else an empty one.
    """
    word = wanted()
    if word == NORMAL:
        return ""
    given = _real_time() if work is Work.URGENT else _larger_share()
    if work is Work.URGENT:
        _lock_memory()
    if given or word == AUTO:
        return ""
    name, limit = ("real time", "rtprio") if work is Work.URGENT else (f"nice {NICE}", "nice")
    return f"priority: {name} is not permitted (limit {limit}): it runs as everything else does"


def permitted() -> dict[str, bool]:
    """Return what this process may ask for, by name; nothing stays changed."""
    before, share = os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)
    found = {"real time": _real_time()}
    with suppress(OSError):
        os.sched_setscheduler(0, before, os.sched_param(0))
    found["larger share"] = _may_be_nice(share)
    found["locked memory"] = _may_lock()
    return found


def _real_time() -> bool:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(REAL_TIME))
    except OSError:
        return False
    return True


def _larger_share() -> bool:
    try:
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    except OSError:
        return False
    # Where sessions are groups of their own, a share within the group alone changes nothing.
    with suppress(OSError), open("/proc/self/autogroup", "w") as group:
        group.write(str(NICE))
    return True


def _may_be_nice(share: int) -> bool:
    least = 20 - resource.getrlimit(resource.RLIMIT_NICE)[0]
    return os.geteuid() == 0 or least <= NICE or share <= NICE


def _may_lock() -> bool:
    """Return whether all memory may be locked: below a limit, later allocations would fail."""
    return resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY or (
        os.geteuid() == 0
    )


def _lock_memory() -> None:
    """Lock what is used, and all code, which may not have run yet when it must run in time.

    Locked whole, a process has all the stacks and buffers in memory that it never uses: 340 MB in
    place of 120.
    """
    if not _may_lock():
        return
    with suppress(OSError, AttributeError, ValueError):
        libc = ctypes.CDLL(None)
        if libc.mlockall(_CURRENT_AND_FUTURE | _ON_FAULT) != 0:  # before Linux 4.4
            libc.mlockall(_CURRENT_AND_FUTURE)
            return
        for line in Path("/proc/self/maps").read_text().splitlines():
            span, access, *_, name = line.split(maxsplit=5)
            if "x" in access and name.startswith("/"):
                begin, end = (int(address, 16) for address in span.split("-"))
                size = ctypes.c_size_t(end - begin)
                libc.madvise(ctypes.c_void_p(begin), size, _POPULATE_READ)
