"""An exit that nothing holds up."""

from __future__ import annotations

import subprocess
import sys

import pytest

# What holds Python's lock for ever, as C++ that does not let go of it.
HELD = """
import ctypes, sys
from ros_mbmrl.runtime.last_exit import exit_within
print("done")
exit_within(1, int(sys.argv[1]))
ctypes.PyDLL(None).sleep(600)
"""

IN_TIME = """
from ros_mbmrl.runtime.last_exit import exit_within
exit_within(30, 3)
"""


@pytest.mark.parametrize("status", [0, 1, 2])
def test_a_process_that_holds_pythons_lock_ends_with_its_status(status: int) -> None:
    words = [sys.executable, "-c", HELD, str(status)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (status, "done\n"), done.stderr
    assert "most recent call first" in done.stderr


def test_a_process_that_ends_in_time_ends_as_ever() -> None:
    done = subprocess.run([sys.executable, "-c", IN_TIME], capture_output=True, timeout=20)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_it_works_without_streams() -> None:
    words = [
        "sh",
        "-c",
        '"$0" -c "$1" 0 >&- 2>&-',
        sys.executable,
        HELD.replace('print("done")', ""),
    ]
    assert subprocess.run(words, timeout=60).returncode == 0
