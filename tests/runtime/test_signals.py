"""The first signal asks for the end; further ones change nothing, and the end is bounded."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

PATIENCE = 30.0  # [s] for what should take milliseconds

COUNTED = """
import signal, sys, threading, time
from ros_mbmrl.runtime.signals import end_on_signals, ignore_signals
ended, calls = threading.Event(), []
def end():
    calls.append(1)
    ended.set()
end_on_signals(end)
print('up', flush=True)
ended.wait()
print('ending', flush=True)
sys.stdin.readline()
ignore_signals()
print(f'ended {len(calls)}', flush=True)
sys.stdin.readline()
"""

HELD = """
import threading, time
from ros_mbmrl.runtime.signals import end_on_signals
lock, ended = threading.Lock(), threading.Event()
def end():
    with lock:
        ended.set()
end_on_signals(end)
with lock:
    print('up', flush=True)
    input()
assert ended.wait(20)
"""

HUNG = """
import signal
from ros_mbmrl.runtime.signals import end_on_signals
end_on_signals(lambda: None, patience=1)
print('up', flush=True)
while True: signal.pause()
"""

RESTORED = """
import signal, threading
from ros_mbmrl.runtime.signals import ended_by_signals
before = [signal.getsignal(kind) for kind in (1, 2, 15)]
with ended_by_signals(lambda: None):
    assert signal.getsignal(2) is not before[1]
assert before == [signal.getsignal(kind) for kind in (1, 2, 15)]
print('up', flush=True)
"""

AFTERWARDS = """
import select, signal, sys, threading
from ros_mbmrl.runtime import signals
# A shell starts what runs in the background with SIGINT ignored; here it is as at a terminal.
signal.signal(signal.SIGINT, signal.default_int_handler)
signals.REPEATS = float(input())
ended = threading.Event()
with signals.ended_by_signals(ended.set):
    print('up', flush=True)
    ended.wait()
try:
    print('report', flush=True)
    # A signal just before a read without end would be answered after it.
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        pass
    print('written', flush=True)
except KeyboardInterrupt:
    print('interrupted', flush=True)
assert signal.alarm(0) == 0
"""

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts Python code, and waits until it says that it is up."""
    processes: list[subprocess.Popen[str]] = []

    def started(code: str, told: str = "", **options: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(  # type: ignore[call-overload]
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        processes.append(process)
        process.stdin.write(told)
        process.stdin.flush()
        assert process.stdout.readline() == "up\n"
        return process  # type: ignore[no-any-return]

    yield started
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("kinds", [(2, 2), (2, 2, 2, 2, 2), (2, 15), (15, 2), (1, 2, 15)])
def test_further_signals_do_nothing(start: Start, kinds: tuple[int, ...]) -> None:
    process = start(COUNTED)
    assert process.stdin is not None and process.stdout is not None
    process.send_signal(kinds[0])
    assert process.stdout.readline() == "ending\n"
    for kind in kinds[1:]:
        process.send_signal(kind)
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "ended 1\n"
    for kind in kinds:
        process.send_signal(kind)  # as it exits
    _, said = process.communicate("\n", timeout=PATIENCE)
    assert (process.returncode, said) == (0, "")


def test_a_lock_that_the_main_thread_holds_is_no_deadlock(start: Start) -> None:
    process = start(HELD)
    process.send_signal(signal.SIGINT)
    process.communicate("\n", timeout=PATIENCE)
    assert process.returncode == 0


def test_an_end_that_hangs_is_bounded(start: Start) -> None:
    process = start(HUNG)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGALRM
    assert "most recent call first" in said, said  # where it hangs


def test_what_was_there_is_restored(start: Start) -> None:
    _, said = start(RESTORED).communicate(timeout=PATIENCE)
    assert said == ""


@pytest.mark.parametrize(("repeats", "heard"), [(60, "written"), (0, "interrupted")])
def test_a_repeat_does_not_lose_the_report_but_a_later_signal_counts(
    start: Start, repeats: float, heard: str
) -> None:
    process = start(AFTERWARDS, f"{repeats}\n")
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    assert process.stdout.readline() == "report\n"
    process.send_signal(signal.SIGINT)
    if heard == "interrupted":
        process.wait(PATIENCE)  # with its input open: what comes first must be the signal
    out, said = process.communicate("" if heard == "interrupted" else "\n", timeout=PATIENCE)
    assert (process.returncode, out, said) == (0, f"{heard}\n", "")


def test_nohup_is_respected(start: Start) -> None:
    process = start(COUNTED, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    assert process.stdout is not None
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "ending\n"
    out, _ = process.communicate("\n\n", timeout=PATIENCE)
    assert out == "ended 1\n"
