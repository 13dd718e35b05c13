"""Priorities: what is asked for, taken where permitted, and told where refused."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.runtime import priority
from ros_mbmrl.runtime.priority import Work


def in_a_thread(work: Callable[[], object]) -> object:
    """Run in a thread of its own, whose priority ends with it."""
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    monkeypatch.setattr(os, "setpriority", refuse)
    monkeypatch.setattr(priority, "_may_lock", lambda: False)


@pytest.mark.parametrize("work", Work)
def test_a_refusal_is_told_only_if_it_was_asked_for(
    work: Work, refused: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(priority.VARIABLE, raising=False)
    assert priority.take(work) == ""
    monkeypatch.setenv(priority.VARIABLE, "high")
    told = priority.take(work)
    assert told.endswith("it runs as everything else does") and "\n" not in told
    assert ("real time" in told) is (work is Work.URGENT)


def test_normal_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(priority.VARIABLE, "normal")
    asked: list[object] = []
    monkeypatch.setattr(os, "sched_setscheduler", lambda *a: asked.append(a))
    monkeypatch.setattr(os, "setpriority", lambda *a: asked.append(a))
    assert [priority.take(work) for work in Work] == ["", ""]
    assert not asked


def test_a_wrong_word_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(priority.VARIABLE, "highest")
    with pytest.raises(UserError, match="expected one of auto, high, normal"):
        priority.wanted()


def test_a_thread_is_at_real_time_where_that_is_permitted(monkeypatch: pytest.MonkeyPatch) -> None:
    if not in_a_thread(lambda: priority.permitted()["real time"]):
        pytest.skip("real time is not permitted here")
    monkeypatch.setenv(priority.VARIABLE, "high")
    monkeypatch.setattr(priority, "_lock_memory", lambda: None)  # for this test's process, for good

    def take() -> object:
        return priority.take(Work.URGENT), os.sched_getscheduler(0)

    assert in_a_thread(take) == ("", os.SCHED_FIFO)
    assert os.sched_getscheduler(0) == os.SCHED_OTHER  # the other threads as before


def test_asking_what_is_permitted_changes_nothing() -> None:
    before = os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)
    assert set(priority.permitted()) == {"real time", "larger share", "locked memory"}
    assert (os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)) == before


UNUSED = 1 << 28  # [bytes]
LOCKED = f"""
import mmap
from ros_mbmrl.runtime.priority import Work, take
take(Work.URGENT)
untouched = mmap.mmap(-1, {UNUSED})
print(open("/proc/self/status").read())
"""


@pytest.mark.skipif(not priority._may_lock(), reason="not permitted here")
def test_memory_is_locked_as_far_as_it_is_used() -> None:
    words = [sys.executable, "-c", LOCKED]
    variables = {**os.environ, priority.VARIABLE: "auto"}
    said = subprocess.run(words, env=variables, capture_output=True, text=True, check=True).stdout
    found = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
    locked, resident = (1024 * int(found[name].split()[0]) for name in ("VmLck", "VmRSS"))
    assert locked >= UNUSED  # it counts what would be locked once it is used
    assert resident < UNUSED
